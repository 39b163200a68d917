//! One tree of files, by inode, over an optional shared base (an image's layers).
//!
//! Writing copies only the nodes that change, so that a hundred containers of one image share its files.
//! Paths here are inside the volume and follow no mounts; processes use [`super::Files`].

use super::Errno;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The number of a node in its volume.
pub type Ino = u32;

/// The root directory of every volume.
pub const ROOT: Ino = 1;

/// No file grows beyond this: a runaway loop fills its file, not the machine.
const FILE_LIMIT_BYTES: usize = 16 << 20;

/// What a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    File,
    Directory,
    Symlink,
    Device,
}

/// A character device that programs know by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Device {
    Null,
    Zero,
    Random,
    /// The process's own descriptor: `/dev/stdin`, `/dev/stdout`, `/dev/stderr`.
    Descriptor(u16),
    /// Everything written there reads "no space left": `/dev/full`.
    Full,
}

/// Content of a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    File(Arc<Vec<u8>>),
    Directory(Arc<BTreeMap<Arc<str>, Ino>>),
    Symlink(Arc<str>),
    /// An executable whose behaviour is ours (a tool) or the host's, by name.
    Program(Arc<str>),
    Device(Device),
}

/// Owner, permissions and time of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Meta {
    pub mode: u16,
    pub uid: u32,
    pub gid: u32,
    /// Last modification, in microseconds since 1970.
    pub modified: i64,
}

impl Default for Meta {
    fn default() -> Self {
        Meta {
            mode: 0o644,
            uid: 0,
            gid: 0,
            modified: 0,
        }
    }
}

/// One file, directory, link or device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    pub body: Body,
    pub meta: Meta,
    /// How many directory entries name it.
    pub links: u32,
    /// How many open descriptors hold it.
    pub(crate) holds: u32,
}

impl Node {
    fn new(body: Body, meta: Meta) -> Node {
        Node {
            body,
            meta,
            links: 1,
            holds: 0,
        }
    }

    pub fn kind(&self) -> Kind {
        match self.body {
            Body::File(_) | Body::Program(_) => Kind::File,
            Body::Directory(_) => Kind::Directory,
            Body::Symlink(_) => Kind::Symlink,
            Body::Device(_) => Kind::Device,
        }
    }

    /// Size as `ls -l` shows it.
    pub fn size(&self) -> u64 {
        match &self.body {
            Body::File(bytes) => bytes.len() as u64,
            Body::Directory(_) => 4096,
            Body::Symlink(target) => target.len() as u64,
            // Roughly a static busybox, which is what most of our programs pretend to be.
            Body::Program(_) => 1_100_000,
            Body::Device(_) => 0,
        }
    }
}

/// A frozen volume that others may lie over.
#[derive(Clone, Debug)]
pub struct Tree {
    nodes: BTreeMap<Ino, Node>,
    next: Ino,
}

/// A tree of files that can change.
#[derive(Clone, Debug)]
pub struct Volume {
    base: Option<Arc<Tree>>,
    upper: BTreeMap<Ino, Node>,
    next: Ino,
    used: u64,
    capacity: Option<u64>,
}

impl Default for Volume {
    fn default() -> Self {
        Volume::new()
    }
}

impl Volume {
    /// An empty volume: a root directory and nothing else.
    pub fn new() -> Volume {
        let meta = Meta {
            mode: 0o755,
            ..Meta::default()
        };
        let root = Node::new(Body::Directory(Arc::default()), meta);
        Volume {
            base: None,
            upper: BTreeMap::from([(ROOT, root)]),
            next: ROOT + 1,
            used: 0,
            capacity: None,
        }
    }

    /// A writable volume over a frozen one.
    pub fn over(base: Arc<Tree>) -> Volume {
        Volume {
            next: base.next,
            base: Some(base),
            upper: BTreeMap::new(),
            used: 0,
            capacity: None,
        }
    }

    /// Turns the volume into a base for others.
    pub fn freeze(self) -> Arc<Tree> {
        let mut nodes = self.base.map(|b| b.nodes.clone()).unwrap_or_default();
        nodes.extend(self.upper);
        Arc::new(Tree {
            nodes,
            next: self.next,
        })
    }

    /// Writing beyond so many bytes of contents fails with "No space left on device".
    pub fn limit(mut self, bytes: u64) -> Volume {
        self.capacity = Some(bytes);
        self
    }

    /// Bytes written here since the volume was made (an emptyDir's use, a container's writable layer).
    pub fn used_bytes(&self) -> u64 {
        self.used
    }

    /// The limit, if there is one.
    pub fn capacity_bytes(&self) -> Option<u64> {
        self.capacity
    }

    /// A node by number.
    pub fn node(&self, ino: Ino) -> Option<&Node> {
        self.upper
            .get(&ino)
            .or_else(|| self.base.as_ref().and_then(|b| b.nodes.get(&ino)))
    }

    pub(crate) fn node_mut(&mut self, ino: Ino) -> Option<&mut Node> {
        if !self.upper.contains_key(&ino) {
            let copy = self.base.as_ref()?.nodes.get(&ino)?.clone();
            self.upper.insert(ino, copy);
        }
        self.upper.get_mut(&ino)
    }

    /// Looks a path up, following no links.
    pub fn find(&self, path: &str) -> Option<Ino> {
        let mut at = ROOT;
        for part in parts(path) {
            match &self.node(at)?.body {
                Body::Directory(entries) => at = *entries.get(part)?,
                _ => return None,
            }
        }
        Some(at)
    }

    /// The contents of a file, or `None` if there is no such file.
    pub fn read(&self, path: &str) -> Option<Arc<Vec<u8>>> {
        match &self.node(self.find(path)?)?.body {
            Body::File(bytes) => Some(bytes.clone()),
            _ => None,
        }
    }

    /// Names in a directory, in order.
    pub fn list(&self, path: &str) -> Vec<Arc<str>> {
        match self
            .find(path)
            .and_then(|ino| self.node(ino))
            .map(|n| &n.body)
        {
            Some(Body::Directory(entries)) => entries.keys().cloned().collect(),
            _ => Vec::new(),
        }
    }

    /// Creates a directory and those above it; what exists is kept.
    pub fn make_dirs(&mut self, path: &str, meta: Meta) -> Result<Ino, Errno> {
        let mut at = ROOT;
        for part in parts(path) {
            let next = match &self.node(at).ok_or(Errno::NoEntry)?.body {
                Body::Directory(entries) => entries.get(part).copied(),
                _ => return Err(Errno::NotDirectory),
            };
            at = match next {
                Some(ino) => ino,
                None => self.add(at, part, Body::Directory(Arc::default()), meta)?,
            };
        }
        Ok(at)
    }

    /// Puts a file at a path, making directories above it (mode 755), replacing a file that is there.
    pub fn write(
        &mut self,
        path: &str,
        bytes: impl Into<Vec<u8>>,
        meta: Meta,
    ) -> Result<Ino, Errno> {
        self.put(path, Body::File(Arc::new(bytes.into())), meta)
    }

    /// Puts a symbolic link at a path, replacing a file or link that is there.
    pub fn symlink(&mut self, path: &str, target: &str, meta: Meta) -> Result<Ino, Errno> {
        self.put(path, Body::Symlink(target.into()), meta)
    }

    /// Puts an executable at a path: one of our tools, or a program the host runs, by name.
    pub fn program(&mut self, path: &str, name: &str) -> Result<Ino, Errno> {
        let meta = Meta {
            mode: 0o755,
            ..Meta::default()
        };
        self.put(path, Body::Program(name.into()), meta)
    }

    /// Puts any node at a path.
    pub fn put(&mut self, path: &str, body: Body, meta: Meta) -> Result<Ino, Errno> {
        let (above, name) = split(path);
        let dir_meta = Meta {
            mode: 0o755,
            ..meta
        };
        let dir = self.make_dirs(above, dir_meta)?;
        if name.is_empty() {
            return Err(Errno::IsDirectory);
        }
        if let Some(old) = self.entry(dir, name) {
            if self.node(old).is_some_and(|n| n.kind() == Kind::Directory) {
                return Err(Errno::IsDirectory);
            }
            self.detach(dir, name);
        }
        self.add(dir, name, body, meta)
    }

    /// Removes a path with everything below it. Tells whether there was something.
    pub fn remove(&mut self, path: &str) -> bool {
        let (above, name) = split(path);
        let Some(dir) = self.find(above) else {
            return false;
        };
        let Some(ino) = self.entry(dir, name) else {
            return false;
        };
        self.remove_below(ino);
        self.detach(dir, name);
        true
    }

    fn remove_below(&mut self, ino: Ino) {
        if let Some(Body::Directory(entries)) = self.node(ino).map(|n| n.body.clone()) {
            for (name, child) in entries.iter() {
                self.remove_below(*child);
                self.detach(ino, name);
            }
        }
    }

    pub(crate) fn entry(&self, dir: Ino, name: &str) -> Option<Ino> {
        match &self.node(dir)?.body {
            Body::Directory(entries) => entries.get(name).copied(),
            _ => None,
        }
    }

    pub(crate) fn add(
        &mut self,
        dir: Ino,
        name: &str,
        body: Body,
        meta: Meta,
    ) -> Result<Ino, Errno> {
        if name.len() > 255 {
            return Err(Errno::NameTooLong);
        }
        let size = match &body {
            Body::File(bytes) => bytes.len() as u64,
            _ => 0,
        };
        self.room_for(size)?;
        let ino = self.next;
        self.attach(dir, name, ino, meta.modified)?;
        self.next += 1;
        self.used += size;
        self.upper.insert(ino, Node::new(body, meta));
        Ok(ino)
    }

    /// Adds a directory entry for an existing node; the caller counts the link.
    pub(crate) fn attach(&mut self, dir: Ino, name: &str, ino: Ino, now: i64) -> Result<(), Errno> {
        let node = self.node_mut(dir).ok_or(Errno::NoEntry)?;
        node.meta.modified = node.meta.modified.max(now);
        match &mut node.body {
            Body::Directory(entries) => {
                Arc::make_mut(entries).insert(name.into(), ino);
                Ok(())
            }
            _ => Err(Errno::NotDirectory),
        }
    }

    /// Removes a directory entry, and the node once nothing names or holds it.
    pub(crate) fn detach(&mut self, dir: Ino, name: &str) {
        let Some(ino) = self.entry(dir, name) else {
            return;
        };
        if let Some(Body::Directory(entries)) = self.node_mut(dir).map(|n| &mut n.body) {
            Arc::make_mut(entries).remove(name);
        }
        if let Some(node) = self.node_mut(ino) {
            node.links = node.links.saturating_sub(1);
        }
        self.drop_if_unused(ino);
    }

    pub(crate) fn hold(&mut self, ino: Ino) {
        if let Some(node) = self.node_mut(ino) {
            node.holds += 1;
        }
    }

    pub(crate) fn release(&mut self, ino: Ino) {
        if let Some(node) = self.upper.get_mut(&ino) {
            node.holds = node.holds.saturating_sub(1);
        }
        self.drop_if_unused(ino);
    }

    fn drop_if_unused(&mut self, ino: Ino) {
        if let Some(node) = self.upper.get(&ino)
            && node.links == 0
            && node.holds == 0
        {
            if let Body::File(bytes) = &node.body {
                self.used = self.used.saturating_sub(bytes.len() as u64);
            }
            self.upper.remove(&ino);
        }
    }

    /// Writes into a file at an offset; a gap reads as zeros.
    pub(crate) fn write_at(
        &mut self,
        ino: Ino,
        at: u64,
        bytes: &[u8],
        now: i64,
    ) -> Result<(), Errno> {
        let end = at as usize + bytes.len();
        if end > FILE_LIMIT_BYTES {
            return Err(Errno::TooLarge);
        }
        let old = match self.node(ino).map(|n| &n.body) {
            Some(Body::File(old)) => old.len(),
            Some(_) => return Err(Errno::Invalid),
            None => return Err(Errno::NoEntry),
        };
        let growth = end.saturating_sub(old) as u64;
        self.room_for(growth)?;
        self.used += growth;
        let node = self.node_mut(ino).ok_or(Errno::NoEntry)?;
        node.meta.modified = now;
        if let Body::File(content) = &mut node.body {
            let content = Arc::make_mut(content);
            if content.len() < end {
                content.resize(end, 0);
            }
            content[at as usize..end].copy_from_slice(bytes);
        }
        Ok(())
    }

    pub(crate) fn truncate(&mut self, ino: Ino, now: i64) -> Result<(), Errno> {
        let node = self.node_mut(ino).ok_or(Errno::NoEntry)?;
        node.meta.modified = now;
        if let Body::File(content) = &mut node.body {
            let freed = content.len() as u64;
            *content = Arc::default();
            self.used = self.used.saturating_sub(freed);
        }
        Ok(())
    }

    fn room_for(&self, bytes: u64) -> Result<(), Errno> {
        match self.capacity {
            Some(limit) if bytes > 0 && self.used + bytes > limit => Err(Errno::NoSpace),
            _ => Ok(()),
        }
    }
}

fn parts(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter(|p| !p.is_empty() && *p != ".")
}

fn split(path: &str) -> (&str, &str) {
    let path = path.trim_end_matches('/');
    path.rsplit_once('/').unwrap_or(("", path))
}
