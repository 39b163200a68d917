//! `kubectl version`.

use api::{Request, Str};

use crate::flags::{Flag, Given, switch, text};
use crate::{Context, Failure};

const FLAGS: &[Flag] = &[switch("client"), text("output").short('o'), switch("short")];

pub(crate) fn run(ctx: &mut Context<'_>, args: &[Str]) -> Result<(), Failure> {
    let given = Given::parse("version", FLAGS, args)?;
    let [commit, built, compiler] = api::KUBERNETES_BUILD;
    let client = api::map! {
        "major": "1", "minor": "36", "gitVersion": api::KUBERNETES_VERSION, "gitTreeState": "clean",
        "goVersion": compiler, "compiler": "gc", "platform": "linux/amd64", "gitCommit": commit, "buildDate": built,
    };
    let mut both = api::map! { "clientVersion": client, "kustomizeVersion": KUSTOMIZE };
    if !given.switch("client") {
        let server = ctx.object(Request::path("/version"))?;
        both.set("serverVersion", server);
    }
    match given.text("output").as_str() {
        "json" => ctx.out(crate::print::json(&both)),
        "yaml" => ctx.out(api::yaml::emit(&both)),
        "" => {
            ctx.out(format!(
                "Client Version: {}\nKustomize Version: {KUSTOMIZE}\n",
                api::KUBERNETES_VERSION
            ));
            if let Some(version) = both.path("serverVersion.gitVersion").as_str() {
                ctx.out(format!("Server Version: {version}\n"));
            }
        }
        _ => return Err(Failure::error("--output must be 'yaml' or 'json'")),
    }
    Ok(())
}

/// The kustomize that kubectl v1.36 carries.
const KUSTOMIZE: &str = "v5.8.1";
