//! Where a container sees which volume.

use super::{Errno, Ino, Kind, Meta, ROOT, Volume};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Names a volume on its disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct VolumeId(pub u64);

/// All volumes of one machine (or of one terminal). Containers of a pod that mount the same id share files.
#[derive(Clone, Debug, Default)]
pub struct Disk {
    volumes: BTreeMap<VolumeId, Volume>,
}

impl Disk {
    pub fn insert(&mut self, id: VolumeId, volume: Volume) {
        self.volumes.insert(id, volume);
    }

    pub fn remove(&mut self, id: VolumeId) -> Option<Volume> {
        self.volumes.remove(&id)
    }

    pub fn volume(&self, id: VolumeId) -> Option<&Volume> {
        self.volumes.get(&id)
    }

    pub fn volume_mut(&mut self, id: VolumeId) -> Option<&mut Volume> {
        self.volumes.get_mut(&id)
    }

    pub fn ids(&self) -> impl Iterator<Item = VolumeId> + '_ {
        self.volumes.keys().copied()
    }
}

/// One mount: `at` shows the node `root` of a volume.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mount {
    pub at: Arc<str>,
    pub volume: VolumeId,
    pub root: Ino,
    pub read_only: bool,
}

/// The mount table of one container: the root first, then by path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mounts {
    list: Vec<Mount>,
}

impl Mounts {
    /// A table with only a root file system.
    pub fn new(root: VolumeId) -> Mounts {
        Mounts::with_root(root, false)
    }

    /// A table whose root may be read-only (`readOnlyRootFilesystem`).
    pub fn with_root(root: VolumeId, read_only: bool) -> Mounts {
        Mounts {
            list: vec![Mount {
                at: "/".into(),
                volume: root,
                root: ROOT,
                read_only,
            }],
        }
    }

    /// Shows a volume, or the file or directory `sub_path` in it, at the absolute path `at`. The mount point is
    /// made if it does not exist, and so is a missing `sub_path` (as a directory), as the kubelet does.
    pub fn mount(
        &mut self,
        disk: &mut Disk,
        at: &str,
        volume: VolumeId,
        sub_path: &str,
        read_only: bool,
    ) -> Result<(), Errno> {
        let dir = Meta {
            mode: 0o755,
            ..Meta::default()
        };
        let source = disk.volume_mut(volume).ok_or(Errno::NoEntry)?;
        let root = match source.find(sub_path) {
            Some(ino) => ino,
            None => source.make_dirs(sub_path, dir)?,
        };
        let is_file = source
            .node(root)
            .is_some_and(|n| n.kind() != Kind::Directory);
        let at = format!("/{}", at.trim_matches('/'));
        self.list.retain(|m| *m.at != *at || *m.at == *"/");
        let (over, below) = self.covering(&at);
        if let Some(target) = disk.volume_mut(over.volume)
            && target.find(&below).is_none()
            && over.root == ROOT
        {
            if is_file {
                target.write(&below, "", Meta::default())?;
            } else {
                target.make_dirs(&below, dir)?;
            }
        }
        self.list.push(Mount {
            at: at.into(),
            volume,
            root,
            read_only,
        });
        self.list.sort_by(|a, b| a.at.cmp(&b.at));
        Ok(())
    }

    /// The mount that shows `path`, and the path inside its volume.
    pub fn covering(&self, path: &str) -> (&Mount, String) {
        let mut best = &self.list[0];
        for mount in &self.list[1..] {
            let inside = path
                .strip_prefix(&*mount.at)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
            if inside && mount.at.len() > best.at.len() {
                best = mount;
            }
        }
        let skip = if best.at.len() == 1 { 0 } else { best.at.len() };
        (best, path[skip..].to_string())
    }

    pub(crate) fn root(&self) -> &Mount {
        &self.list[0]
    }

    pub(crate) fn exactly(&self, path: &str) -> Option<&Mount> {
        self.list[1..].iter().find(|m| *m.at == *path)
    }

    /// All mounts, the root first.
    pub fn iter(&self) -> impl Iterator<Item = &Mount> {
        self.list.iter()
    }
}
