//! `minikube`, as far as tutorials lean on it: where a node is. Everything else is said to be here already.

use posix::Done;

/// The first node's address.
const NODE: &str = "172.18.0.11";

pub(crate) fn run(args: &[impl AsRef<str>]) -> Done {
    let words: Vec<&str> = args
        .iter()
        .map(AsRef::as_ref)
        .filter(|word| !word.starts_with('-'))
        .collect();
    let (status, stdout, stderr) = match words[..] {
        ["ip"] => (0, format!("{NODE}\n"), String::new()),
        ["status"] => (
            0,
            "minikube\ntype: Control Plane\nhost: Running\nkubelet: Running\napiserver: Running\nkubeconfig: Configured\n\n".to_owned(),
            String::new(),
        ),
        ["start"] => (0, "This playground's cluster is running already.\n".to_owned(), String::new()),
        ["version"] => (0, "minikube version: none; this is a playground\n".to_owned(), String::new()),
        ["service", name, ..] => (
            1,
            String::new(),
            format!("minikube: not needed here; hint: curl http://{NODE}:$(kubectl get service {name} -o jsonpath='{{.spec.ports[0].nodePort}}')\n"),
        ),
        ["dashboard"] => (1, String::new(), "minikube: not needed here; hint: the stage shows the cluster\n".to_owned()),
        ["tunnel"] => (1, String::new(), "minikube: not needed here; hint: kubenkyo enable load-balancer\n".to_owned()),
        ["addons", ..] => (1, String::new(), "minikube: this playground has no add-ons\n".to_owned()),
        ["stop" | "delete"] => (1, String::new(), "minikube: the cluster is the page; hint: start again with the page's own button\n".to_owned()),
        _ => (1, String::new(), "minikube: only ip, status and start are known here\n".to_owned()),
    };
    Done {
        stdout: stdout.into_bytes(),
        stderr: stderr.into_bytes(),
        status,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_that_of_the_first_node() {
        let done = run(&["ip"]);
        assert_eq!(
            (done.status, done.stdout.as_slice()),
            (0, &b"172.18.0.11\n"[..])
        );
        assert_eq!(run(&["service", "web", "--url"]).status, 1);
    }
}
