//! `kubenkyo image FILE…`: images that the user defines in YAML; see `node::Custom` for their fields.

use std::sync::Arc;

use cluster::CustomImage;
use posix::{Call, Done, External, Files};

const USAGE: &str = "usage: kubenkyo image FILE...; `-` is standard input\n";

pub(crate) fn run(
    call: &Call,
    files: &mut Files<'_>,
    images: &mut Vec<Arc<CustomImage>>,
) -> External {
    let paths = &call.argv[2..];
    if paths.iter().any(|path| &**path == "-") && call.stdin.is_none() {
        return External::NeedInput;
    }
    let mut done = Done::default();
    if paths.is_empty() {
        done.stderr = USAGE.as_bytes().to_vec();
        done.status = 1;
        return External::Done(done);
    }
    for path in paths {
        let text = match &**path {
            "-" => Ok(call.stdin.clone().unwrap_or_default()),
            path => files
                .read(path)
                .map(|bytes| bytes.to_vec())
                .map_err(|why| why.to_string()),
        };
        match text.and_then(|bytes| define(&String::from_utf8_lossy(&bytes))) {
            Ok(defined) => {
                for image in defined {
                    done.stdout
                        .extend(format!("image {} defined\n", image.name).into_bytes());
                    images.push(image);
                }
            }
            Err(why) => {
                done.stderr
                    .extend(format!("kubenkyo: {path}: {why}\n").into_bytes());
                done.status = 1;
            }
        }
    }
    External::Done(done)
}

/// Every document of a text is an image.
fn define(text: &str) -> Result<Vec<Arc<CustomImage>>, String> {
    let documents = api::yaml::load_documents(text).map_err(|why| why.to_string())?;
    let mut images = Vec::new();
    for document in documents {
        images.push(Arc::new(CustomImage::read(&document)?));
    }
    if images.is_empty() {
        return Err("no image is described here".to_owned());
    }
    Ok(images)
}
