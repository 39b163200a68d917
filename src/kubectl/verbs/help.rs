//! `kubectl help`, `--help`, `options`, and commands that need what a page does not have.

use api::Str;

use crate::flags::{Flag, Kind};
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

/// Commands that are several: their subcommands, and what each does.
const SUBCOMMANDS: &[(&str, &[(&str, &str)])] = &[
    (
        "apply",
        &[
            (
                "edit-last-applied",
                "Edit latest last-applied-configuration annotations of a resource/object",
            ),
            (
                "set-last-applied",
                "Set the last-applied-configuration annotation on a live object to match the contents of a file",
            ),
            (
                "view-last-applied",
                "View the latest last-applied-configuration annotations of a resource/object",
            ),
        ],
    ),
    (
        "auth",
        &[
            ("can-i", "Check whether an action is allowed"),
            (
                "reconcile",
                "Reconciles rules for RBAC role, role binding, cluster role, and cluster role binding objects",
            ),
            ("whoami", "Experimental: Check self subject attributes"),
        ],
    ),
    (
        "certificate",
        &[
            ("approve", "Approve a certificate signing request"),
            ("deny", "Deny a certificate signing request"),
        ],
    ),
    (
        "cluster-info",
        &[(
            "dump",
            "Dump relevant information for debugging and diagnosis",
        )],
    ),
    (
        "config",
        &[
            ("current-context", "Display the current-context"),
            (
                "delete-cluster",
                "Delete the specified cluster from the kubeconfig",
            ),
            (
                "delete-context",
                "Delete the specified context from the kubeconfig",
            ),
            (
                "delete-user",
                "Delete the specified user from the kubeconfig",
            ),
            ("get-clusters", "Display clusters defined in the kubeconfig"),
            ("get-contexts", "Describe one or many contexts"),
            ("get-users", "Display users defined in the kubeconfig"),
            (
                "rename-context",
                "Rename a context from the kubeconfig file",
            ),
            ("set", "Set an individual value in a kubeconfig file"),
            ("set-cluster", "Set a cluster entry in kubeconfig"),
            ("set-context", "Set a context entry in kubeconfig"),
            ("set-credentials", "Set a user entry in kubeconfig"),
            ("unset", "Unset an individual value in a kubeconfig file"),
            (
                "use-context",
                "Set the current-context in a kubeconfig file",
            ),
            (
                "view",
                "Display merged kubeconfig settings or a specified kubeconfig file",
            ),
        ],
    ),
    (
        "create",
        &[
            ("clusterrole", "Create a cluster role"),
            (
                "clusterrolebinding",
                "Create a cluster role binding for a particular cluster role",
            ),
            (
                "configmap",
                "Create a config map from a local file, directory or literal value",
            ),
            ("cronjob", "Create a cron job with the specified name"),
            ("deployment", "Create a deployment with the specified name"),
            ("ingress", "Create an ingress with the specified name"),
            ("job", "Create a job with the specified name"),
            ("namespace", "Create a namespace with the specified name"),
            (
                "poddisruptionbudget",
                "Create a pod disruption budget with the specified name",
            ),
            (
                "priorityclass",
                "Create a priority class with the specified name",
            ),
            ("quota", "Create a quota with the specified name"),
            ("role", "Create a role with single rule"),
            (
                "rolebinding",
                "Create a role binding for a particular role or cluster role",
            ),
            ("secret", "Create a secret using a specified subcommand"),
            ("service", "Create a service using a specified subcommand"),
            (
                "serviceaccount",
                "Create a service account with the specified name",
            ),
            ("token", "Request a service account token"),
        ],
    ),
    (
        "create secret",
        &[
            (
                "docker-registry",
                "Create a secret for use with a Docker registry",
            ),
            (
                "generic",
                "Create a secret from a local file, directory, or literal value",
            ),
            ("tls", "Create a TLS secret"),
        ],
    ),
    (
        "create service",
        &[
            ("clusterip", "Create a ClusterIP service"),
            ("externalname", "Create an ExternalName service"),
            ("loadbalancer", "Create a LoadBalancer service"),
            ("nodeport", "Create a NodePort service"),
        ],
    ),
    (
        "plugin",
        &[(
            "list",
            "List all visible plugin executables on a user's PATH",
        )],
    ),
    (
        "rollout",
        &[
            ("history", "View rollout history"),
            ("pause", "Mark the provided resource as paused"),
            ("restart", "Restart a resource"),
            ("resume", "Resume a paused resource"),
            ("status", "Show the status of the rollout"),
            ("undo", "Undo a previous rollout"),
        ],
    ),
    (
        "set",
        &[
            ("env", "Update environment variables on a pod template"),
            ("image", "Update the image of a pod template"),
            (
                "resources",
                "Update resource requests/limits on objects with pod templates",
            ),
            ("selector", "Set the selector on a resource"),
            ("serviceaccount", "Update the service account of a resource"),
            (
                "subject",
                "Update the user, group, or service account in a role binding or cluster role binding",
            ),
        ],
    ),
    (
        "top",
        &[
            ("node", "Display resource (CPU/memory) usage of nodes"),
            ("pod", "Display resource (CPU/memory) usage of pods"),
        ],
    ),
];

/// Flags whose value, where it is not given, is not empty, zero or false; first those of one command.
const DEFAULTS: &[(&str, &str, &str)] = &[
    ("apply", "field-manager", "'kubectl-client-side-apply'"),
    ("diff", "field-manager", "'kubectl-client-side-apply'"),
    ("create", "field-manager", "'kubectl-create'"),
    ("set", "field-manager", "'kubectl-set'"),
    ("rollout", "field-manager", "'kubectl-rollout'"),
    ("apply", "overwrite", "true"),
    ("set", "overwrite", "true"),
    ("apply", "openapi-patch", "true"),
    ("set", "containers", "'*'"),
    ("cluster-info", "output", "'json'"),
    ("config view", "output", "'yaml'"),
    ("cluster-info", "pod-running-timeout", "20s"),
    ("logs", "pod-running-timeout", "20s"),
    ("explain", "output", "'plaintext'"),
    ("run", "restart", "'Always'"),
    ("create", "replicas", "1"),
    ("create deployment", "port", "-1"),
    (
        "create secret",
        "docker-server",
        "'https://index.docker.io/v1/'",
    ),
    ("run", "port", "''"),
    ("autoscale", "cpu-percent", "-1"),
    ("set selector", "recursive", "true"),
    ("apply view-last-applied", "output", "'yaml'"),
    ("wait", "recursive", "true"),
    ("wait", "timeout", "30s"),
    ("delete", "wait", "true"),
    ("rollout", "watch", "true"),
    ("patch", "type", "'strategic'"),
    ("port-forward", "address", "[localhost]"),
    ("", "allow-missing-template-keys", "true"),
    ("", "cascade", "'background'"),
    ("", "chunk-size", "500"),
    ("", "concurrency", "1"),
    ("", "current-replicas", "-1"),
    ("", "dry-run", "'none'"),
    ("", "grace-period", "-1"),
    ("", "helm-command", "'helm'"),
    ("", "load-restrictor", "'LoadRestrictionsRootOnly'"),
    ("", "max", "-1"),
    ("", "max-log-requests", "5"),
    ("", "merge", "true"),
    ("", "min", "-1"),
    ("", "namespaced", "true"),
    ("", "network-name", "'bridge'"),
    ("", "override-type", "'merge'"),
    ("", "pod-running-timeout", "1m0s"),
    ("", "preemption-policy", "'PreemptLowerPriority'"),
    ("", "server-print", "true"),
    ("", "show-events", "true"),
    ("", "tail", "-1"),
    ("", "use-protocol-buffers", "true"),
    ("", "validate", "'strict'"),
];

/// Flags that a command shares a table with and does not have itself.
const ABSENT: &[(&str, &[&str])] = &[
    ("attach", &["filename"]),
    (
        "auth can-i",
        &[
            "dry-run",
            "output",
            "template",
            "allow-missing-template-keys",
            "show-managed-fields",
        ],
    ),
    (
        "auth whoami",
        &[
            "all-namespaces",
            "dry-run",
            "list",
            "no-headers",
            "quiet",
            "subresource",
        ],
    ),
    ("config get-contexts", CONFIG_ENTRIES),
    ("config view", CONFIG_ENTRIES),
    ("cordon", DRAINING),
    ("create clusterrolebinding", &["role"]),
    ("create role", &["aggregation-rule", "non-resource-url"]),
    ("create service clusterip", &["external-name", "node-port"]),
    ("create service nodeport", &["clusterip", "external-name"]),
    (
        "rollout history",
        &[
            "dry-run",
            "field-manager",
            "timeout",
            "to-revision",
            "watch",
        ],
    ),
    (
        "rollout pause",
        &["dry-run", "revision", "timeout", "to-revision", "watch"],
    ),
    (
        "rollout restart",
        &["dry-run", "revision", "timeout", "to-revision", "watch"],
    ),
    (
        "rollout resume",
        &["dry-run", "revision", "timeout", "to-revision", "watch"],
    ),
    (
        "rollout status",
        &[
            "dry-run",
            "field-manager",
            "output",
            "template",
            "to-revision",
            "allow-missing-template-keys",
            "show-managed-fields",
        ],
    ),
    (
        "rollout undo",
        &["field-manager", "revision", "timeout", "watch"],
    ),
    (
        "set resources",
        &["group", "resource-version", "serviceaccount", "user"],
    ),
    (
        "set selector",
        &[
            "containers",
            "group",
            "kustomize",
            "limits",
            "requests",
            "selector",
            "serviceaccount",
            "user",
        ],
    ),
    (
        "set serviceaccount",
        &[
            "containers",
            "group",
            "limits",
            "requests",
            "resource-version",
            "selector",
            "serviceaccount",
            "user",
        ],
    ),
    (
        "set subject",
        &["containers", "limits", "requests", "resource-version"],
    ),
    (
        "top node",
        &["all-namespaces", "containers", "field-selector", "sum"],
    ),
    ("top pod", &["show-capacity", "show-swap"]),
    ("uncordon", DRAINING),
];
/// What only the commands that change a kubeconfig have.
const CONFIG_ENTRIES: &[&str] = &[
    "auth-provider",
    "auth-provider-arg",
    "current",
    "embed-certs",
    "exec-api-version",
    "exec-arg",
    "exec-command",
    "exec-env",
    "password",
    "proxy-url",
    "set-raw-bytes",
    "tls-server-name",
    "username",
];
/// What only `drain` has.
const DRAINING: &[&str] = &[
    "chunk-size",
    "delete-emptydir-data",
    "disable-eviction",
    "force",
    "grace-period",
    "ignore-daemonsets",
    "pod-selector",
    "skip-wait-for-delete-timeout",
    "timeout",
];
/// What only `create -f` has.
const OF_FILES: &[&str] = &["edit", "filename", "kustomize", "raw", "recursive"];
/// Old flags that are read and not shown.
const HIDDEN: &[&str] = &["record", "short"];

/// What the flags of many commands are for.
const MEANINGS: &[(&str, &str)] = &[
    (
        "all",
        "Take all objects of the given types in the namespace.",
    ),
    (
        "all-containers",
        "Take the logs of every container of the pods.",
    ),
    (
        "all-namespaces",
        "Look into all namespaces, whatever the current context says.",
    ),
    (
        "allow-missing-template-keys",
        "Templates pass over fields that an object does not have.",
    ),
    ("attach", "Attach to the pod once it runs."),
    (
        "cascade",
        "What becomes of dependents: background, foreground or orphan.",
    ),
    (
        "chunk-size",
        "Ask for long lists in pieces of so many objects; 0 asks for all at once.",
    ),
    (
        "container",
        "The container that is meant; without it the default one or the first.",
    ),
    (
        "dry-run",
        "none, client (show the object, send nothing) or server (send it, store nothing).",
    ),
    (
        "field-manager",
        "The name under which changes of fields are kept.",
    ),
    (
        "field-selector",
        "Take only objects with these values of fields (metadata.name=x, status.phase!=Running).",
    ),
    ("filename", "Files, directories or URLs with the objects."),
    ("follow", "Go on printing as more is written."),
    (
        "force",
        "Delete at once, without waiting for a graceful end.",
    ),
    (
        "force-conflicts",
        "Take over fields that other managers own (with --server-side).",
    ),
    ("from", "The object of which the new one is made."),
    (
        "from-env-file",
        "A file of KEY=value lines; each becomes an entry.",
    ),
    (
        "from-file",
        "A file or directory, with or without KEY= before it; each file becomes an entry.",
    ),
    ("from-literal", "KEY=value; becomes an entry."),
    (
        "grace-period",
        "Seconds that a pod is given to end; negative: what the object says.",
    ),
    ("ignore-not-found", "What does not exist is no failure."),
    ("image", "The container image."),
    (
        "kustomize",
        "A kustomization directory; not together with -f or -R.",
    ),
    ("label-columns", "Labels that become columns of the table."),
    ("local", "Work on the file only; ask no server."),
    ("no-headers", "Print no line of column names."),
    (
        "output",
        "Output format. One of: (json, yaml, kyaml, name, go-template, go-template-file, template, templatefile, jsonpath, jsonpath-as-json, jsonpath-file).",
    ),
    ("overwrite", "Existing values may be replaced."),
    ("patch", "The patch, as JSON or YAML."),
    ("port", "The port."),
    ("previous", "Take the logs of the container's previous run."),
    (
        "prune",
        "Delete what was applied before and is not in the files any more.",
    ),
    (
        "recursive",
        "Take the files of directories below those given with -f too.",
    ),
    ("replicas", "How many replicas there shall be."),
    (
        "resource-version",
        "Change the object only if it has this version.",
    ),
    ("restart", "The pod's restart policy."),
    ("rm", "Delete the pod when the command ends."),
    (
        "save-config",
        "Keep the configuration in the object's annotation, for a later kubectl apply.",
    ),
    (
        "selector",
        "Take only objects with these labels (app=web, tier!=cache, env in (a,b)).",
    ),
    ("server-side", "The server merges, not the client."),
    ("show-events", "Show the events about the object."),
    ("show-kind", "Write the kind before each name."),
    ("show-labels", "Add a column with all labels."),
    (
        "show-managed-fields",
        "Keep metadata.managedFields in JSON and YAML.",
    ),
    ("since", "Only what is newer than this span (5s, 2m, 3h)."),
    (
        "sort-by",
        "Order the list by this JSONPath (.metadata.name).",
    ),
    ("stdin", "Pass standard input on to the container."),
    ("subresource", "The subresource to work on."),
    ("tail", "Only so many last lines."),
    (
        "template",
        "The template, or its file, of -o=go-template and -o=go-template-file.",
    ),
    (
        "timeout",
        "How long to wait; zero waits as long as the object says.",
    ),
    ("timestamps", "Write the time before each line."),
    ("tty", "Standard input is a terminal."),
    (
        "validate",
        "strict, warn or ignore: what is done about unknown and duplicate fields.",
    ),
    ("wait", "Return only when it is done."),
    ("watch", "Go on showing changes."),
];

/// A command line with `--help`: the flags are those that the command itself would read.
pub(crate) fn asked(
    ctx: &mut Context<'_>,
    name: &str,
    verb: super::Verb,
    args: &[Str],
) -> Result<(), Failure> {
    let words: Vec<&str> = args
        .iter()
        .map(Str::as_str)
        .filter(|arg| !arg.starts_with('-'))
        .collect();
    // `create secret` is several commands as well.
    let group = match words[..] {
        [first, ..] => format!("{name} {first}"),
        [] => name.to_owned(),
    };
    let is_group = |name: &str| SUBCOMMANDS.iter().any(|(group, _)| *group == name);
    let has_more = if is_group(&group) && group != name {
        words.len() > 1
    } else {
        !words.is_empty()
    };
    if is_group(&group)
        && !has_more
        && !matches!(group.as_str(), "apply" | "cluster-info" | "create")
    {
        of_command(ctx, &group);
        return Ok(());
    }
    // Only what the command says about itself is wanted, not what it prints.
    match verb(ctx, args) {
        Err(Failure::Help { command, flags }) => {
            described(ctx, &command, &flags);
            Ok(())
        }
        _ => {
            of_command(ctx, name);
            Ok(())
        }
    }
}

/// What a command without flags of its own, or a group of commands, is.
pub(crate) fn of_command(ctx: &mut Context<'_>, name: &str) {
    described(ctx, name, &[]);
}

fn described(ctx: &mut Context<'_>, command: &str, flags: &[Flag]) {
    let (parent, last) = command.rsplit_once(' ').unwrap_or(("", command));
    let sub = SUBCOMMANDS
        .iter()
        .find(|(group, _)| *group == parent)
        .and_then(|(_, subs)| subs.iter().find(|(name, _)| *name == last));
    let (summary, usage) = match (find(command), sub) {
        (Some((_, summary, usage)), _) => (*summary, (*usage).to_owned()),
        (None, Some((_, summary))) => (*summary, command.to_owned()),
        (None, None) => return overview(ctx),
    };
    let mut out = format!("{summary}.\n\n");
    if let Some((_, subs)) = SUBCOMMANDS.iter().find(|(group, _)| *group == command) {
        let width = subs
            .iter()
            .map(|(name, _)| name.len())
            .max()
            .unwrap_or(0)
            .max(11);
        out += "Available Commands:\n";
        for (name, summary) in *subs {
            out += &format!("  {name:width$}   {summary}\n");
        }
        out += "\n";
    }
    let mut flags: Vec<Flag> = flags.to_vec();
    flags.sort_by_key(|flag| flag.name);
    flags.dedup_by_key(|flag| flag.name);
    flags.retain(|flag| {
        let is_absent = ABSENT
            .iter()
            .any(|(of, names)| *of == command && names.contains(&flag.name));
        let is_of_files = command.starts_with("create ")
            && (OF_FILES.contains(&flag.name) || flag.name == "selector" && flag.short == 'l');
        !(is_absent || is_of_files || HIDDEN.contains(&flag.name))
    });
    if !flags.is_empty() {
        out += "Options:\n";
    }
    for flag in flags {
        let short = match flag.short {
            '\0' => String::new(),
            short => format!("-{short}, "),
        };
        out += &format!(
            "    {short}--{}={}:\n",
            flag.name,
            default_of(command, &flag)
        );
        if let Ok(at) = MEANINGS.binary_search_by_key(&flag.name, |(name, _)| name) {
            out += &format!("\t{}\n", MEANINGS[at].1);
        }
        out.push('\n');
    }
    out += &format!("Usage:\n  kubectl {usage} [options]\n\n");
    if SUBCOMMANDS.iter().any(|(group, _)| *group == command) {
        out += &format!(
            "Use \"kubectl {command} <command> --help\" for more information about a given command.\n"
        );
    }
    out += "Use \"kubectl options\" for a list of global command-line options (applies to all commands).\n";
    ctx.out(out);
}

fn default_of(command: &str, flag: &Flag) -> String {
    let verb = command.split(' ').next().unwrap_or_default();
    let known = DEFAULTS.iter().find(|(of, name, _)| {
        *name == flag.name
            && (of.is_empty() || *of == verb || command.starts_with(of) && of.contains(' '))
    });
    if let Some((.., value)) = known {
        return (*value).to_owned();
    }
    if flag.name == "field-manager" {
        return format!("'kubectl-{verb}'");
    }
    match flag.kind {
        Kind::Switch => "false".into(),
        Kind::Number => "0".into(),
        Kind::Duration => "0s".into(),
        Kind::Many | Kind::Array => "[]".into(),
        Kind::Text | Kind::Optional(_) => "''".into(),
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn meanings_are_sorted_for_the_search() {
        assert!(MEANINGS.is_sorted_by_key(|(name, _)| name));
    }
}
