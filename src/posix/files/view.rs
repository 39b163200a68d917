//! What one process sees: paths with mounts, symbolic links and permissions.

use super::{Body, Disk, Errno, Ino, Kind, Meta, Mounts, Node, Volume, VolumeId};
use std::sync::Arc;

/// Symbolic links followed before a path is called a loop, as Linux does.
const LINK_LIMIT: u32 = 40;

/// Path components followed in one look-up.
const COMPONENT_LIMIT: usize = 1024;

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    pub uid: u32,
    pub gid: u32,
    pub groups: Vec<u32>,
}

impl User {
    pub fn root() -> User {
        User {
            uid: 0,
            gid: 0,
            groups: Vec::new(),
        }
    }
}

/// What is asked of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    Read = 4,
    Write = 2,
    Execute = 1,
}

/// A node of a volume, and how it was reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub volume: VolumeId,
    pub ino: Ino,
    pub read_only: bool,
    /// The absolute path without links and dots.
    pub path: String,
}

/// The end of a path: something, or a free name in a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    Node(Place),
    Missing { dir: Place, name: String },
}

/// What `stat` tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stat {
    pub kind: Kind,
    pub meta: Meta,
    pub size: u64,
    pub links: u32,
    pub ino: Ino,
    pub volume: VolumeId,
}

/// The files as one process sees them.
#[derive(Debug)]
pub struct Files<'a> {
    pub disk: &'a mut Disk,
    pub mounts: &'a Mounts,
    pub cwd: &'a str,
    pub user: &'a User,
    pub umask: u16,
    /// Microseconds since 1970, for times of change.
    pub now: i64,
}

impl Files<'_> {
    /// Follows a path. `follow` says whether a symbolic link at its very end is followed too.
    pub fn walk(&self, path: &str, follow: bool) -> Result<Found, Errno> {
        if path.is_empty() {
            return Err(Errno::NoEntry);
        }
        let root = self.mounts.root();
        let mut at = vec![(root.volume, root.root, root.read_only, 0usize)];
        let mut canonical = String::new();
        let mut todo: Vec<String> = Vec::new();
        push_parts(&mut todo, path);
        if !path.starts_with('/') {
            push_parts(&mut todo, self.cwd);
        }
        let mut links = 0;
        let mut steps = 0;
        while let Some(part) = todo.pop() {
            steps += 1;
            if steps > COMPONENT_LIMIT {
                return Err(Errno::NameTooLong);
            }
            let (volume, ino, read_only, length) = *at.last().expect("the root is never popped");
            if part == ".." {
                if at.len() > 1 {
                    at.pop();
                    canonical.truncate(length);
                }
                continue;
            }
            let node = self.node(volume, ino).ok_or(Errno::NoEntry)?;
            let Body::Directory(entries) = &node.body else {
                return Err(Errno::NotDirectory);
            };
            self.check(node, Access::Execute)?;
            let before = canonical.len();
            canonical.push('/');
            canonical.push_str(&part);
            let (volume, ino, read_only) = match self.mounts.exactly(&canonical) {
                Some(m) => (m.volume, m.root, m.read_only),
                None => match entries.get(part.as_str()) {
                    Some(child) => (volume, *child, read_only),
                    None if todo.is_empty() => {
                        canonical.truncate(before);
                        let dir = Place {
                            volume,
                            ino,
                            read_only,
                            path: rooted(canonical),
                        };
                        return Ok(Found::Missing { dir, name: part });
                    }
                    None => return Err(Errno::NoEntry),
                },
            };
            let next = self.node(volume, ino).ok_or(Errno::NoEntry)?;
            match &next.body {
                Body::Symlink(target) if follow || !todo.is_empty() => {
                    links += 1;
                    if links > LINK_LIMIT {
                        return Err(Errno::Loop);
                    }
                    canonical.truncate(before);
                    if target.starts_with('/') {
                        at.truncate(1);
                        canonical.clear();
                    }
                    push_parts(&mut todo, target);
                }
                _ => at.push((volume, ino, read_only, before)),
            }
        }
        let (volume, ino, read_only, _) = *at.last().expect("the root is never popped");
        let place = Place {
            volume,
            ino,
            read_only,
            path: rooted(canonical),
        };
        if path.ends_with('/') && self.at(&place)?.kind() != Kind::Directory {
            return Err(Errno::NotDirectory);
        }
        Ok(Found::Node(place))
    }

    /// The node a path names.
    pub fn find(&self, path: &str, follow: bool) -> Result<Place, Errno> {
        match self.walk(path, follow)? {
            Found::Node(place) => Ok(place),
            Found::Missing { .. } => Err(Errno::NoEntry),
        }
    }

    pub fn exists(&self, path: &str) -> bool {
        self.find(path, true).is_ok()
    }

    pub fn is_dir(&self, path: &str) -> bool {
        self.stat(path, true)
            .is_ok_and(|s| s.kind == Kind::Directory)
    }

    /// The node at a place.
    pub fn at(&self, place: &Place) -> Result<&Node, Errno> {
        self.node(place.volume, place.ino).ok_or(Errno::NoEntry)
    }

    pub fn stat(&self, path: &str, follow: bool) -> Result<Stat, Errno> {
        let place = self.find(path, follow)?;
        let node = self.at(&place)?;
        Ok(Stat {
            kind: node.kind(),
            meta: node.meta,
            size: node.size(),
            links: match &node.body {
                Body::Directory(_) => 2,
                _ => node.links,
            },
            ino: place.ino,
            volume: place.volume,
        })
    }

    /// Whether the user may do that to what the path names.
    pub fn may(&self, path: &str, access: Access) -> bool {
        let Ok(place) = self.find(path, true) else {
            return false;
        };
        if access == Access::Write && place.read_only {
            return false;
        }
        self.at(&place).is_ok_and(|n| self.check(n, access).is_ok())
    }

    /// Fails with "Permission denied" unless the user may do that to the node.
    pub fn check(&self, node: &Node, access: Access) -> Result<(), Errno> {
        let bit = access as u16;
        let mode = node.meta.mode;
        if self.user.uid == 0 {
            let executable = mode & 0o111 != 0 || node.kind() == Kind::Directory;
            return if access != Access::Execute || executable {
                Ok(())
            } else {
                Err(Errno::Access)
            };
        }
        let shift = if node.meta.uid == self.user.uid {
            6
        } else if node.meta.gid == self.user.gid || self.user.groups.contains(&node.meta.gid) {
            3
        } else {
            0
        };
        if (mode >> shift) & bit != 0 {
            Ok(())
        } else {
            Err(Errno::Access)
        }
    }

    /// The whole content of a regular file.
    pub fn read(&self, path: &str) -> Result<Arc<Vec<u8>>, Errno> {
        let place = self.find(path, true)?;
        let node = self.at(&place)?;
        self.check(node, Access::Read)?;
        match &node.body {
            Body::File(bytes) => Ok(bytes.clone()),
            Body::Program(name) => Ok(Arc::new(format!("\u{7f}ELF {name}\n").into_bytes())),
            Body::Directory(_) => Err(Errno::IsDirectory),
            Body::Device(_) => Ok(Arc::default()),
            Body::Symlink(_) => Err(Errno::Loop),
        }
    }

    /// Replaces a file's content, or makes the file.
    pub fn write(&mut self, path: &str, bytes: &[u8]) -> Result<(), Errno> {
        let place = self.create(path)?;
        let now = self.now;
        if let Body::Device(_) = self.at(&place)?.body {
            return Ok(());
        }
        let volume = self.volume_mut(&place)?;
        volume.truncate(place.ino, now)?;
        volume.write_at(place.ino, 0, bytes, now)
    }

    /// Puts an executable at a path unless something is there: one of our tools, or a program the host runs, by name.
    pub fn install_program(&mut self, path: &str, name: &str) -> Result<(), Errno> {
        match self.walk(path, true)? {
            Found::Node(_) => Ok(()),
            Found::Missing { dir, name: entry } => self
                .add(&dir, &entry, Body::Program(name.into()), 0o755)
                .map(drop),
        }
    }

    /// Opens a file for writing, making it if it is missing; content stays.
    pub fn create(&mut self, path: &str) -> Result<Place, Errno> {
        match self.walk(path, true)? {
            Found::Node(place) => {
                let node = self.at(&place)?;
                if node.kind() == Kind::Directory {
                    return Err(Errno::IsDirectory);
                }
                self.check(node, Access::Write)?;
                if place.read_only && node.kind() != Kind::Device {
                    return Err(Errno::ReadOnly);
                }
                Ok(place)
            }
            Found::Missing { dir, name } => {
                if path.ends_with('/') {
                    return Err(Errno::IsDirectory);
                }
                self.add(&dir, &name, Body::File(Arc::default()), 0o666 & !self.umask)
            }
        }
    }

    /// Names in a directory, in order.
    pub fn list(&self, path: &str) -> Result<Vec<Arc<str>>, Errno> {
        let place = self.find(path, true)?;
        let node = self.at(&place)?;
        match &node.body {
            Body::Directory(entries) => {
                self.check(node, Access::Read)?;
                Ok(entries.keys().cloned().collect())
            }
            _ => Err(Errno::NotDirectory),
        }
    }

    pub fn read_link(&self, path: &str) -> Result<Arc<str>, Errno> {
        match &self.at(&self.find(path, false)?)?.body {
            Body::Symlink(target) => Ok(target.clone()),
            _ => Err(Errno::Invalid),
        }
    }

    pub fn make_dir(&mut self, path: &str, mode: u16) -> Result<(), Errno> {
        match self.walk(path, true)? {
            Found::Node(_) => Err(Errno::Exists),
            Found::Missing { dir, name } => {
                let mode = mode & !self.umask;
                self.add(&dir, &name, Body::Directory(Arc::default()), mode)
                    .map(|_| ())
            }
        }
    }

    /// Makes a directory and those above it.
    pub fn make_dirs(&mut self, path: &str) -> Result<(), Errno> {
        let mut prefix = String::new();
        if path.starts_with('/') {
            prefix.push('/');
        }
        for part in path.split('/').filter(|p| !p.is_empty()) {
            prefix.push_str(part);
            match self.make_dir(&prefix, 0o777) {
                Err(Errno::Exists) if self.is_dir(&prefix) => {}
                other => other?,
            }
            prefix.push('/');
        }
        Ok(())
    }

    pub fn symlink(&mut self, target: &str, path: &str) -> Result<(), Errno> {
        match self.walk(path, false)? {
            Found::Node(_) => Err(Errno::Exists),
            Found::Missing { dir, name } => self
                .add(&dir, &name, Body::Symlink(target.into()), 0o777)
                .map(|_| ()),
        }
    }

    /// A second name for a file.
    pub fn link(&mut self, from: &str, to: &str) -> Result<(), Errno> {
        let source = self.find(from, true)?;
        if self.at(&source)?.kind() == Kind::Directory {
            return Err(Errno::NotPermitted);
        }
        let Found::Missing { dir, name } = self.walk(to, false)? else {
            return Err(Errno::Exists);
        };
        if dir.volume != source.volume {
            return Err(Errno::CrossDevice);
        }
        self.writable_dir(&dir)?;
        let now = self.now;
        let volume = self.volume_mut(&source)?;
        volume.attach(dir.ino, &name, source.ino, now)?;
        if let Some(node) = volume.node_mut(source.ino) {
            node.links += 1;
        }
        Ok(())
    }

    /// Removes a file or link.
    pub fn unlink(&mut self, path: &str) -> Result<(), Errno> {
        let place = self.find(path, false)?;
        if self.at(&place)?.kind() == Kind::Directory {
            return Err(Errno::IsDirectory);
        }
        self.detach(path, &place)
    }

    /// Removes an empty directory.
    pub fn remove_dir(&mut self, path: &str) -> Result<(), Errno> {
        let place = self.find(path, false)?;
        match &self.at(&place)?.body {
            Body::Directory(entries) if entries.is_empty() => self.detach(path, &place),
            Body::Directory(_) => Err(Errno::NotEmpty),
            _ => Err(Errno::NotDirectory),
        }
    }

    fn detach(&mut self, path: &str, place: &Place) -> Result<(), Errno> {
        if self.mounts.exactly(&place.path).is_some() || place.path == "/" {
            return Err(Errno::Busy);
        }
        let (dir, name) = self.parent(path)?;
        self.writable_dir(&dir)?;
        self.volume_mut(&dir)?.detach(dir.ino, &name);
        Ok(())
    }

    /// Moves a file or directory within its volume, replacing a file.
    pub fn rename(&mut self, from: &str, to: &str) -> Result<(), Errno> {
        let source = self.find(from, false)?;
        let (from_dir, from_name) = self.parent(from)?;
        let (to_dir, to_name) = self.parent(to)?;
        if self.mounts.exactly(&source.path).is_some() {
            return Err(Errno::Busy);
        }
        if from_dir.volume != to_dir.volume {
            return Err(Errno::CrossDevice);
        }
        if format!("{}/", to_dir.path).starts_with(&format!("{}/", source.path)) {
            return Err(Errno::Invalid);
        }
        self.writable_dir(&from_dir)?;
        self.writable_dir(&to_dir)?;
        let is_dir = self.at(&source)?.kind() == Kind::Directory;
        if let Ok(old) = self.find(to, false) {
            if old.volume == source.volume && old.ino == source.ino {
                return Ok(());
            }
            match &self.at(&old)?.body {
                Body::Directory(entries) if !is_dir || !entries.is_empty() => {
                    return Err(if is_dir {
                        Errno::NotEmpty
                    } else {
                        Errno::IsDirectory
                    });
                }
                Body::Directory(_) => {}
                _ if is_dir => return Err(Errno::NotDirectory),
                _ => {}
            }
        }
        let now = self.now;
        let volume = self.volume_mut(&from_dir)?;
        if let Some(node) = volume.node_mut(source.ino) {
            node.links += 1;
        }
        volume.detach(to_dir.ino, &to_name);
        volume.attach(to_dir.ino, &to_name, source.ino, now)?;
        volume.detach(from_dir.ino, &from_name);
        Ok(())
    }

    pub fn chmod(&mut self, path: &str, mode: u16) -> Result<(), Errno> {
        self.change(path, |meta| meta.mode = mode)
    }

    pub fn chown(&mut self, path: &str, uid: Option<u32>, gid: Option<u32>) -> Result<(), Errno> {
        if self.user.uid != 0 {
            return Err(Errno::NotPermitted);
        }
        self.change(path, |meta| {
            meta.uid = uid.unwrap_or(meta.uid);
            meta.gid = gid.unwrap_or(meta.gid);
        })
    }

    /// Sets the time of last change.
    pub fn touch(&mut self, path: &str, modified: i64) -> Result<(), Errno> {
        let place = self.find(path, true)?;
        let node = self.at(&place)?;
        if node.meta.uid != self.user.uid {
            self.check(node, Access::Write)?;
        }
        if place.read_only {
            return Err(Errno::ReadOnly);
        }
        if let Some(node) = self.volume_mut(&place)?.node_mut(place.ino) {
            node.meta.modified = modified;
        }
        Ok(())
    }

    fn change(&mut self, path: &str, set: impl FnOnce(&mut Meta)) -> Result<(), Errno> {
        let place = self.find(path, true)?;
        if place.read_only {
            return Err(Errno::ReadOnly);
        }
        if self.user.uid != 0 && self.at(&place)?.meta.uid != self.user.uid {
            return Err(Errno::NotPermitted);
        }
        if let Some(node) = self.volume_mut(&place)?.node_mut(place.ino) {
            set(&mut node.meta);
        }
        Ok(())
    }

    /// The directory and last name of a path; the name need not exist.
    fn parent(&self, path: &str) -> Result<(Place, String), Errno> {
        let path = path.trim_end_matches('/');
        let (above, name) = match path.rsplit_once('/') {
            Some(("", name)) => ("/", name),
            Some((above, name)) => (above, name),
            None => (".", path),
        };
        if name.is_empty() || name == "." || name == ".." {
            return Err(Errno::Invalid);
        }
        Ok((self.find(above, true)?, name.to_string()))
    }

    fn writable_dir(&self, dir: &Place) -> Result<(), Errno> {
        if dir.read_only {
            return Err(Errno::ReadOnly);
        }
        self.check(self.at(dir)?, Access::Write)
    }

    fn add(&mut self, dir: &Place, name: &str, body: Body, mode: u16) -> Result<Place, Errno> {
        self.writable_dir(dir)?;
        let dir_meta = self.at(dir)?.meta;
        // A set-group-id directory (how fsGroup volumes are made) passes its group on.
        let gid = if dir_meta.mode & 0o2000 != 0 {
            dir_meta.gid
        } else {
            self.user.gid
        };
        let mut mode = mode;
        if matches!(body, Body::Directory(_)) {
            mode |= dir_meta.mode & 0o2000;
        }
        let meta = Meta {
            mode,
            uid: self.user.uid,
            gid,
            modified: self.now,
        };
        let ino = self.volume_mut(dir)?.add(dir.ino, name, body, meta)?;
        let slash = if dir.path == "/" { "" } else { "/" };
        Ok(Place {
            volume: dir.volume,
            ino,
            read_only: false,
            path: format!("{}{slash}{name}", dir.path),
        })
    }

    fn node(&self, volume: VolumeId, ino: Ino) -> Option<&Node> {
        self.disk.volume(volume)?.node(ino)
    }

    pub(crate) fn volume_mut(&mut self, place: &Place) -> Result<&mut Volume, Errno> {
        self.disk.volume_mut(place.volume).ok_or(Errno::NoEntry)
    }
}

fn push_parts(todo: &mut Vec<String>, path: &str) {
    todo.extend(
        path.split('/')
            .filter(|p| !p.is_empty() && *p != ".")
            .map(String::from)
            .rev(),
    );
}

fn rooted(path: String) -> String {
    if path.is_empty() { "/".into() } else { path }
}
