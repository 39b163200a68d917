//! Webhook configurations: nothing answers a webhook here, so each call fails as one to a dead server does.
//!
//! `failurePolicy` decides what becomes of the write: `Ignore` lets it pass (and says that nothing was asked), `Fail`
//! refuses it. Models `apiserver/pkg/admission/plugin/webhook/{mutating,validating}/dispatcher.go`.

use api::{Status, Value, list, map};

use super::{Operation, matching, policy};
use crate::ApiServer;
use crate::call::Call;

impl ApiServer {
    pub(crate) fn call_webhooks(
        &mut self,
        sort: &str,
        call: &mut Call,
        operation: Operation,
        object: &Value,
        old: Option<&Value>,
    ) -> Result<(), Status> {
        // Nobody could mend a webhook that refuses everything.
        if call.kind.group == *"admissionregistration.k8s.io" {
            return Ok(());
        }
        let collection = format!("{sort}webhookconfigurations.admissionregistration.k8s.io");
        let mut ignored: Vec<Value> = Vec::new();
        for configuration in self.objects(&collection, "") {
            for hook in configuration.get("webhooks").items() {
                let rules = hook.get("rules").items();
                let is_asked = rules
                    .iter()
                    .any(|rule| matching::rule_selects(rule, call, operation))
                    && matching::selects_by_labels(self, hook, call, object, old)
                    && holds(hook, object);
                if !is_asked {
                    continue;
                }
                if hook.str("failurePolicy") == "Ignore" {
                    ignored.push(configuration.clone());
                    continue;
                }
                let cause = cause(self, hook);
                let message = format!("Internal error occurred: {cause}");
                let causes = list![map! { "message": cause }];
                return Err(Status::new(500, "InternalError", message)
                    .with_details(map! { "causes": causes }));
            }
        }
        for configuration in ignored {
            self.note_never_called(sort, &configuration);
        }
        Ok(())
    }
}

/// Conditions that need nothing but the object; those that fail keep the webhook out of nothing.
fn holds(hook: &Value, object: &Value) -> bool {
    let mut variables = cel::Variables::new();
    variables.insert("object".into(), cel::Val::of(object, &Value::Null));
    hook.get("matchConditions").items().iter().all(|condition| {
        let result = policy::compile(condition.str("expression")).and_then(|program| {
            let mut budget = cel::CALL_LIMIT;
            program.evaluate(&variables, &cel::Nowhere, &mut budget)
        });
        !matches!(result, Ok(cel::Val::Bool(false)))
    })
}

/// The URL that would be called.
fn url(hook: &Value) -> String {
    let config = hook.get("clientConfig");
    let service = config.get("service");
    let timeout = hook.int("timeoutSeconds").unwrap_or(10);
    if service.is_null() {
        return format!("{}?timeout={timeout}s", config.str("url"));
    }
    format!(
        "https://{}.{}.svc:{}{}?timeout={timeout}s",
        service.str("name"),
        service.str("namespace"),
        service.int("port").unwrap_or(443),
        match service.str("path") {
            "" => "/",
            path => path,
        }
    )
}

/// Why the call fails: there is no such service, or nobody behind it.
fn cause(server: &ApiServer, hook: &Value) -> String {
    let service = hook.path("clientConfig.service");
    let (namespace, name) = (service.shared_str("namespace"), service.shared_str("name"));
    let why = if service.is_null() {
        "dial tcp: connect: connection refused".to_owned()
    } else if server.object("services", &namespace, &name).is_none() {
        format!("service {:?} not found", name.as_str())
    } else {
        format!("no endpoints available for service {:?}", name.as_str())
    };
    format!(
        "failed calling webhook {:?}: failed to call webhook: Post {:?}: {why}",
        hook.str("name"),
        url(hook)
    )
}
