//! kubectl's view of the machine it runs on: the cluster's API server, the user's files, the environment.

use api::{Request, RequestId, Str};
use cluster::Cluster;
use posix::{Env, Files};
use sim::{NoteId, Time};

pub(crate) struct KubectlHost<'a> {
    pub(crate) cluster: &'a mut Cluster,
    pub(crate) client: u32,
    /// The note of the command line.
    pub(crate) cause: NoteId,
    pub(crate) files: Files<'a>,
    pub(crate) env: &'a Env,
    /// What was piped into it and what its arguments name by descriptor.
    pub(crate) descriptors: &'a [(u16, Vec<u8>)],
    /// Programs that it wants to run in its terminal.
    pub(crate) children: &'a mut Vec<Vec<String>>,
}

impl KubectlHost<'_> {
    /// `~` is the user's home, as kubectl's own paths use it.
    fn path(&self, path: &str) -> String {
        match path.strip_prefix("~/") {
            Some(rest) => format!("{}/{rest}", crate::workstation::HOME),
            None => path.to_owned(),
        }
    }
}

impl kubectl::Host for KubectlHost<'_> {
    fn now(&self) -> Time {
        self.cluster.now()
    }

    fn send(&mut self, request: Request) -> RequestId {
        self.cluster
            .submit_because(self.client, request, self.cause)
    }

    fn cancel(&mut self, id: RequestId) {
        self.cluster.cancel(self.client, id);
    }

    fn read_file(&mut self, path: &str) -> Result<Str, String> {
        let number = path.strip_prefix("/dev/fd/").and_then(|n| n.parse().ok());
        if let Some((_, bytes)) = self
            .descriptors
            .iter()
            .find(|(known, _)| Some(*known) == number)
        {
            return Ok(Str::from(String::from_utf8_lossy(bytes).into_owned()));
        }
        let bytes = self
            .files
            .read(&self.path(path))
            .map_err(|why| why.to_string().to_lowercase())?;
        Ok(Str::from(String::from_utf8_lossy(&bytes).into_owned()))
    }

    fn list_dir(&mut self, path: &str) -> Result<Vec<Str>, String> {
        let path = self.path(path);
        let names = self
            .files
            .list(&path)
            .map_err(|why| why.to_string().to_lowercase())?;
        let mut entries = Vec::new();
        for name in names {
            let is_dir = self.files.is_dir(&format!("{path}/{name}"));
            entries.push(if is_dir {
                Str::from(format!("{name}/"))
            } else {
                Str::Shared(name)
            });
        }
        Ok(entries)
    }

    fn write_file(&mut self, path: &str, text: &str) -> Result<(), String> {
        let path = self.path(path);
        if let Some((dir, _)) = path.rsplit_once('/').filter(|(dir, _)| !dir.is_empty()) {
            self.files.make_dirs(dir).map_err(|why| why.to_string())?;
        }
        self.files
            .write(&path, text.as_bytes())
            .map_err(|why| why.to_string())
    }

    fn env(&self, name: &str) -> Option<Str> {
        self.env.get(name).map(|value| Str::new(value))
    }

    fn start(&mut self, argv: Vec<Str>) {
        self.children
            .push(argv.iter().map(ToString::to_string).collect());
    }
}
