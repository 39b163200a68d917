//! The file by which clients find the cluster and show who they are.

use std::fs;
use std::io::Write;
use std::net::SocketAddr;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::identity::Identity;

/// A kubeconfig on the disk; one that was not asked for by name goes away with it.
pub(crate) struct Kubeconfig {
    pub(crate) path: PathBuf,
    own_dir: Option<PathBuf>,
}

impl Kubeconfig {
    pub(crate) fn write(
        wanted: Option<&Path>,
        address: SocketAddr,
        identity: &Identity,
    ) -> Result<Kubeconfig, String> {
        let (path, own_dir) = match wanted {
            Some(path) => (std::path::absolute(path).map_err(|e| e.to_string())?, None),
            None => {
                let name = format!("kubenkyo-{}-{}", std::process::id(), address.port());
                let dir = std::env::temp_dir().join(name);
                fs::DirBuilder::new()
                    .mode(0o700)
                    .create(&dir)
                    .map_err(|why| format!("cannot make {}: {why}", dir.display()))?;
                (dir.join("kubeconfig"), Some(dir))
            }
        };
        let text = text(address, identity);
        // Keys are for their owner alone, also where an older file lies.
        let written = fs::remove_file(&path)
            .or_else(|why| match why.kind() {
                std::io::ErrorKind::NotFound => Ok(()),
                _ => Err(why),
            })
            .and_then(|()| {
                fs::OpenOptions::new()
                    .write(true)
                    .create_new(true)
                    .mode(0o600)
                    .open(&path)
            })
            .and_then(|mut file| file.write_all(text.as_bytes()));
        written.map_err(|why| format!("cannot write {}: {why}", path.display()))?;
        Ok(Kubeconfig { path, own_dir })
    }
}

impl Drop for Kubeconfig {
    fn drop(&mut self) {
        if let Some(dir) = &self.own_dir {
            // Nobody is left to be told if it is gone already.
            let _ = fs::remove_dir_all(dir);
        }
    }
}

fn text(address: SocketAddr, identity: &Identity) -> String {
    let host = if address.ip().is_unspecified() {
        format!("127.0.0.1:{}", address.port())
    } else {
        address.to_string()
    };
    let data = |pem: &str| api::base64::encode(pem.as_bytes());
    format!(
        "apiVersion: v1\n\
         kind: Config\n\
         clusters:\n\
         - cluster:\n    \
             certificate-authority-data: {}\n    \
             server: https://{host}\n  \
           name: kubenkyo\n\
         contexts:\n\
         - context:\n    \
             cluster: kubenkyo\n    \
             user: kubernetes-admin\n  \
           name: kubernetes-admin@kubenkyo\n\
         current-context: kubernetes-admin@kubenkyo\n\
         users:\n\
         - name: kubernetes-admin\n  \
           user:\n    \
             client-certificate-data: {}\n    \
             client-key-data: {}\n",
        data(&identity.authority_pem),
        data(&identity.admin_certificate_pem),
        data(&identity.admin_key_pem),
    )
}
