//! `kubectl help`, `--help`, `options`, and commands that need what a page does not have.

use api::Str;

use crate::{Context, Failure};

/// Command, what it does, how it is called.
type Entry = (&'static str, &'static str, &'static str);

/// The groups of `kubectl help`.
const GROUPS: &[(&str, &[Entry])] = &[
    (
        "Basic Commands (Beginner)",
        &[
            (
                "create",
                "Create a resource from a file or from stdin",
                "create -f FILENAME",
            ),
            (
                "expose",
                "Take a replication controller, service, deployment or pod and expose it as a new Kubernetes service",
                "expose (-f FILENAME | TYPE NAME) [--port=port] [--protocol=TCP|UDP|SCTP] [--target-port=number-or-name] [--name=name] [--external-ip=external-ip-of-service] [--type=type]",
            ),
            (
                "run",
                "Run a particular image on the cluster",
                "run NAME --image=image [--env=\"key=value\"] [--port=port] [--dry-run=server|client] [--overrides=inline-json] [--command] -- [COMMAND] [args...]",
            ),
            ("set", "Set specific features on objects", "set SUBCOMMAND"),
        ],
    ),
    (
        "Basic Commands (Intermediate)",
        &[
            (
                "explain",
                "Get documentation for a resource",
                "explain TYPE [--recursive=FALSE|TRUE] [--api-version=api-version-group] [-o|--output=plaintext|plaintext-openapiv2]",
            ),
            (
                "get",
                "Display one or many resources",
                "get [(-o|--output=)json|yaml|kyaml|name|go-template|go-template-file|template|templatefile|jsonpath|jsonpath-as-json|jsonpath-file|custom-columns|custom-columns-file|wide] (TYPE[.VERSION][.GROUP] [NAME | -l label] | TYPE[.VERSION][.GROUP]/NAME ...) [flags]",
            ),
            (
                "edit",
                "Edit a resource on the server",
                "edit (RESOURCE/NAME | -f FILENAME)",
            ),
            (
                "delete",
                "Delete resources by file names, stdin, resources and names, or by resources and label selector",
                "delete ([-f FILENAME] | [-k DIRECTORY] | TYPE [(NAME | -l label | --all)])",
            ),
        ],
    ),
    (
        "Deploy Commands",
        &[
            (
                "rollout",
                "Manage the rollout of a resource",
                "rollout SUBCOMMAND",
            ),
            (
                "scale",
                "Set a new size for a deployment, replica set, or replication controller",
                "scale [--resource-version=version] [--current-replicas=count] --replicas=COUNT (-f FILENAME | TYPE NAME)",
            ),
            (
                "autoscale",
                "Auto-scale a deployment, replica set, stateful set, or replication controller",
                "autoscale (-f FILENAME | TYPE NAME | TYPE/NAME) [--min=MINPODS] --max=MAXPODS [--cpu=CPU] [--memory=MEMORY]",
            ),
        ],
    ),
    (
        "Cluster Management Commands",
        &[
            (
                "certificate",
                "Modify certificate resources",
                "certificate SUBCOMMAND",
            ),
            (
                "cluster-info",
                "Display cluster information",
                "cluster-info",
            ),
            ("top", "Display resource (CPU/memory) usage", "top"),
            ("cordon", "Mark node as unschedulable", "cordon NODE"),
            ("uncordon", "Mark node as schedulable", "uncordon NODE"),
            (
                "drain",
                "Drain node in preparation for maintenance",
                "drain NODE",
            ),
            (
                "taint",
                "Update the taints on one or more nodes",
                "taint NODE NAME KEY_1=VAL_1:TAINT_EFFECT_1 ... KEY_N=VAL_N:TAINT_EFFECT_N",
            ),
        ],
    ),
    (
        "Troubleshooting and Debugging Commands",
        &[
            (
                "describe",
                "Show details of a specific resource or group of resources",
                "describe (-f FILENAME | TYPE [NAME_PREFIX | -l label] | TYPE/NAME)",
            ),
            (
                "logs",
                "Print the logs for a container in a pod",
                "logs [-f] [-p] (POD | TYPE/NAME) [-c CONTAINER]",
            ),
            (
                "attach",
                "Attach to a running container",
                "attach (POD | TYPE/NAME) -c CONTAINER",
            ),
            (
                "exec",
                "Execute a command in a container",
                "exec (POD | TYPE/NAME) [-c CONTAINER] [flags] -- COMMAND [args...]",
            ),
            (
                "port-forward",
                "Forward one or more local ports to a pod",
                "port-forward TYPE/NAME [options] [LOCAL_PORT:]REMOTE_PORT [...[LOCAL_PORT_N:]REMOTE_PORT_N]",
            ),
            (
                "cp",
                "Copy files and directories to and from containers",
                "cp <file-spec-src> <file-spec-dest>",
            ),
            ("auth", "Inspect authorization", "auth"),
            (
                "events",
                "List events",
                "events [(-o|--output=)json|yaml|kyaml|name|go-template|go-template-file|template|templatefile|jsonpath|jsonpath-as-json|jsonpath-file] [--for TYPE/NAME] [--watch] [--types=Normal,Warning]",
            ),
        ],
    ),
    (
        "Advanced Commands",
        &[
            (
                "diff",
                "Diff the live version against a would-be applied version",
                "diff -f FILENAME",
            ),
            (
                "apply",
                "Apply a configuration to a resource by file name or stdin",
                "apply (-f FILENAME | -k DIRECTORY)",
            ),
            (
                "patch",
                "Update fields of a resource",
                "patch (-f FILENAME | TYPE NAME) [-p PATCH|--patch-file FILE]",
            ),
            (
                "replace",
                "Replace a resource by file name or stdin",
                "replace -f FILENAME",
            ),
            (
                "wait",
                "Wait for a specific condition on one or many resources",
                "wait ([-f FILENAME] | resource.group/resource.name | resource.group [(-l label | --all)]) [--for=create|--for=delete|--for condition=available|--for=jsonpath='{}'[=value]]",
            ),
            (
                "kustomize",
                "Build a kustomization target from a directory or URL",
                "kustomize DIR",
            ),
        ],
    ),
    (
        "Settings Commands",
        &[
            (
                "label",
                "Update the labels on a resource",
                "label [--overwrite] (-f FILENAME | TYPE NAME) KEY_1=VAL_1 ... KEY_N=VAL_N [--resource-version=version]",
            ),
            (
                "annotate",
                "Update the annotations on a resource",
                "annotate [--overwrite] (-f FILENAME | TYPE NAME) KEY_1=VAL_1 ... KEY_N=VAL_N [--resource-version=version]",
            ),
            (
                "completion",
                "Output shell completion code for the specified shell (bash, zsh, fish, or powershell)",
                "completion SHELL",
            ),
        ],
    ),
    (
        "Other Commands",
        &[
            (
                "api-resources",
                "Print the supported API resources on the server",
                "api-resources",
            ),
            (
                "api-versions",
                "Print the supported API versions on the server, in the form of \"group/version\"",
                "api-versions",
            ),
            ("config", "Modify kubeconfig files", "config SUBCOMMAND"),
            (
                "plugin",
                "Provides utilities for interacting with plugins",
                "plugin [flags]",
            ),
            (
                "version",
                "Print the client and server version information",
                "version",
            ),
        ],
    ),
];

/// `kubectl help [COMMAND]`.
pub(crate) fn run(ctx: &mut Context<'_>, args: &[Str]) -> Result<(), Failure> {
    match args.iter().find(|arg| !arg.starts_with('-')) {
        Some(name) if find(name).is_some() => {
            of_command(ctx, name);
            Ok(())
        }
        Some(name) => {
            ctx.out(format!("Unknown help topic [`{name}`]\n"));
            overview(ctx);
            Ok(())
        }
        None => {
            overview(ctx);
            Ok(())
        }
    }
}

fn find(name: &str) -> Option<&'static Entry> {
    GROUPS
        .iter()
        .flat_map(|(_, entries)| *entries)
        .find(|(known, ..)| *known == name)
}

/// What `kubectl COMMAND --help` shows: what the command does and how it is called.
pub(crate) fn of_command(ctx: &mut Context<'_>, name: &str) {
    let Some((_, summary, usage)) = find(name) else {
        return overview(ctx);
    };
    ctx.out(format!("{summary}.\n\n"));
    if name == "create" {
        ctx.out("Available Commands:\n");
        for generator in super::create::generators() {
            ctx.out(format!("  {generator}\n"));
        }
        ctx.out("\n");
    }
    ctx.out(format!(
        "Usage:\n  kubectl {usage} [options]\n\nUse \"kubectl options\" for a list of global command-line options (applies to all commands).\n"
    ));
}

pub(crate) fn overview(ctx: &mut Context<'_>) {
    ctx.out("kubectl controls the Kubernetes cluster manager.\n\n Find more information at: https://kubernetes.io/docs/reference/kubectl/\n\n");
    for (title, entries) in GROUPS {
        let width = entries
            .iter()
            .map(|(name, ..)| name.len())
            .max()
            .unwrap_or(0)
            .max(13);
        ctx.out(format!("{title}:\n"));
        for (name, summary, _) in *entries {
            ctx.out(format!("  {name:width$}   {summary}\n"));
        }
        ctx.out("\n");
    }
    ctx.out("Usage:\n  kubectl [flags] [options]\n\nUse \"kubectl <command> --help\" for more information about a given command.\nUse \"kubectl options\" for a list of global command-line options (applies to all commands).\n");
}

pub(crate) fn options(ctx: &mut Context<'_>, _: &[Str]) -> Result<(), Failure> {
    ctx.out("The following options can be passed to any command:\n");
    for (flag, text) in [
        (
            "--as=''",
            "Username to impersonate for the operation. User could be a regular user or a service account in a namespace.",
        ),
        (
            "--as-group=[]",
            "Group to impersonate for the operation, this flag can be repeated to specify multiple groups.",
        ),
        ("--context=''", "The name of the kubeconfig context to use"),
        (
            "--kubeconfig=''",
            "Path to the kubeconfig file to use for CLI requests.",
        ),
        (
            "-n, --namespace=''",
            "If present, the namespace scope for this CLI request",
        ),
        (
            "--request-timeout='0'",
            "The length of time to wait before giving up on a single server request.",
        ),
        ("-v, --v=0", "number for the log level verbosity"),
    ] {
        ctx.out(format!("\n    {flag}:\n\t{text}\n"));
    }
    Ok(())
}

pub(crate) fn alpha(ctx: &mut Context<'_>, _: &[Str]) -> Result<(), Failure> {
    ctx.out("No alpha commands are available in this version of kubectl\n");
    Ok(())
}

pub(crate) fn completion(ctx: &mut Context<'_>, _: &[Str]) -> Result<(), Failure> {
    ctx.out("# Completion is part of this terminal: press Tab.\n");
    Ok(())
}
