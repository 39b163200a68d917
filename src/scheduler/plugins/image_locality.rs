//! Prefers nodes that already hold the pod's images. Models `plugins/imagelocality`.

use crate::cache::{Cache, NodeInfo};
use crate::framework::{Context, MAX_SCORE, Score};
use crate::pod::Wishes;

pub const NAME: &str = "ImageLocality";

const MEGABYTE: i64 = 1024 * 1024;
const LEAST: i64 = 23 * MEGABYTE;
const MOST_PER_CONTAINER: i64 = 1000 * MEGABYTE;

#[derive(Debug)]
struct Locality<'a> {
    cache: &'a Cache,
    wishes: &'a Wishes,
}

pub fn score<'a>(cx: Context<'a>, _nodes: &[&'a NodeInfo]) -> Option<Box<dyn Score + 'a>> {
    Some(Box::new(Locality {
        cache: cx.cache,
        wishes: &cx.pod.wishes,
    }))
}

impl Score for Locality<'_> {
    fn score(&self, node: &NodeInfo) -> i64 {
        if node.images.is_empty() {
            return 0;
        }
        let total = self.cache.node_count().max(1) as f64;
        let here: i64 = self
            .wishes
            .images
            .iter()
            .filter(|image| node.images.binary_search(image).is_ok())
            .filter_map(|image| self.cache.image(image))
            .map(|(size, nodes)| (size as f64 * (nodes as f64 / total)) as i64)
            .sum();
        let most = MOST_PER_CONTAINER * self.wishes.container_count.max(1);
        MAX_SCORE * (here.clamp(LEAST, most) - LEAST) / (most - LEAST)
    }
}
