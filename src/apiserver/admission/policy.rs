//! Admission policies in CEL: `ValidatingAdmissionPolicy` and `MutatingAdmissionPolicy` with their bindings.
//!
//! A policy says what it looks at and what must hold (or what it changes); a binding puts it to work. Both are read
//! from the store at each write, so that a policy counts from the moment in which it is stored.
//! Models `apiserver/pkg/admission/plugin/policy/{validating,mutating}`.

use api::patch::apply::{self, Manager};
use api::patch::json;
use api::{Status, Str, Value, list, map, schema};
use cel::{Program, Val, Variables, World};

use super::{Operation, matching};
use crate::authorize::Attributes;
use crate::call::Call;
use crate::{ApiServer, User};

/// What the expressions of one policy may cost for one request (`RuntimeCELCostBudget`).
const BUDGET: u64 = 10_000_000;

const GROUP: &str = "admissionregistration.k8s.io";

/// A policy with one of its bindings, and the object that the binding's parameters are.
struct Bound {
    policy: Value,
    binding: Value,
    params: Value,
}

impl ApiServer {
    /// Lets the validating policies refuse a write or warn of it.
    pub(crate) fn check_policies(
        &mut self,
        call: &mut Call,
        operation: Operation,
        object: &Value,
        old: Option<&Value>,
    ) -> Result<(), Status> {
        let bound = self.bound("validating", call, operation, object, old)?;
        for Bound {
            policy,
            binding,
            params,
        } in &bound
        {
            let variables = self.variables(call, operation, object, old, params);
            let mut run = Run::new(self, call.user, policy, variables);
            let verdicts = run.verdicts();
            for (message, reason) in verdicts {
                let name = policy.get("metadata").str("name");
                let binding_name = binding.get("metadata").str("name");
                let has = |action: &str| {
                    let actions = binding.path("spec.validationActions").items();
                    actions.iter().any(|a| a.as_str() == Some(action))
                };
                if has("Deny") {
                    return Err(denied(
                        call,
                        &format!(
                            "ValidatingAdmissionPolicy '{name}' with binding '{binding_name}' denied request: {message}"
                        ),
                        &reason,
                    ));
                }
                if has("Warn") {
                    call.warn(format!(
                        "Validation failed for ValidatingAdmissionPolicy '{name}' with binding '{binding_name}': {message}"
                    ));
                }
            }
        }
        Ok(())
    }

    /// Lets the mutating policies change an object that is about to be written.
    pub(crate) fn apply_policies(
        &mut self,
        call: &mut Call,
        operation: Operation,
        object: &mut Value,
        old: Option<&Value>,
    ) -> Result<(), Status> {
        if operation == Operation::Delete {
            return Ok(());
        }
        let bound = self.bound("mutating", call, operation, object, old)?;
        for Bound {
            policy,
            binding,
            params,
        } in &bound
        {
            for mutation in policy.path("spec.mutations").items() {
                let variables = self.variables(call, operation, object, old, params);
                let mut run = Run::new(self, call.user, policy, variables);
                match run.mutated(call, mutation, object) {
                    Ok(changed) => *object = changed,
                    Err(_) if is_lenient(policy) => {}
                    Err(why) => {
                        let message = format!(
                            "MutatingAdmissionPolicy '{}' with binding '{}' denied request: {why}",
                            policy.get("metadata").str("name"),
                            binding.get("metadata").str("name")
                        );
                        return Err(denied(call, &message, ""));
                    }
                }
            }
            (call.rules.defaults)(object);
        }
        Ok(())
    }

    /// The policies of a sort (`validating`, `mutating`) that look at this write, once for each binding and parameter.
    fn bound(
        &self,
        sort: &str,
        call: &Call,
        operation: Operation,
        object: &Value,
        old: Option<&Value>,
    ) -> Result<Vec<Bound>, Status> {
        let mut found = Vec::new();
        // Policies never judge policies: nobody could mend a bad one.
        if call.kind.group == *GROUP {
            return Ok(found);
        }
        for binding in self.objects(&format!("{sort}admissionpolicybindings.{GROUP}"), "") {
            let name = binding.path("spec").shared_str("policyName");
            let policies = format!("{sort}admissionpolicies.{GROUP}");
            let Some(policy) = self.object(&policies, &Str::EMPTY, &name) else {
                continue;
            };
            let looks_at = |resources: &Value| {
                matching::selects(self, resources, call, operation, object, old)
            };
            let narrowed = binding.path("spec.matchResources");
            let by_binding = narrowed.is_null()
                || matching::selects_by_labels(self, narrowed, call, object, old)
                    && (narrowed.get("resourceRules").is_empty() || looks_at(narrowed));
            if !looks_at(policy.path("spec.matchConstraints")) || !by_binding {
                continue;
            }
            for params in self.params(policy, binding, call)? {
                found.push(Bound {
                    policy: policy.clone(),
                    binding: binding.clone(),
                    params,
                });
            }
        }
        Ok(found)
    }

    /// The parameters that a binding names; one `Null` for a policy without.
    fn params(&self, policy: &Value, binding: &Value, call: &Call) -> Result<Vec<Value>, Status> {
        let (kind, reference) = (policy.path("spec.paramKind"), binding.path("spec.paramRef"));
        if kind.is_null() || reference.is_null() {
            return Ok(vec![Value::Null]);
        }
        let (group, version) = api::kinds::split_api_version(kind.str("apiVersion"));
        let built_in = api::kinds::by_gvk(group, version, kind.str("kind"));
        let custom = || {
            let mut rows = self.custom_kinds();
            rows.find(|row| row.group == *group && row.kind == *kind.str("kind"))
        };
        let row = built_in.or_else(|| custom().map(|row| &**row));
        let mut found: Vec<Value> = Vec::new();
        if let Some(row) = row {
            let collection = crate::collection_name(&row.resource());
            let namespace = match reference.shared_str("namespace") {
                given if !given.is_empty() => given,
                _ if row.namespaced => call.namespace.clone(),
                _ => Str::EMPTY,
            };
            let selector = reference.get("selector");
            let name = reference.str("name");
            let objects = self.objects(&collection, &namespace);
            found.extend(
                objects
                    .filter(|object| match name {
                        "" => crate::validate::labels::matches(
                            selector,
                            object.path("metadata.labels"),
                        ),
                        name => object.get("metadata").str("name") == name,
                    })
                    .cloned(),
            );
        }
        if found.is_empty() && reference.str("parameterNotFoundAction") != "Allow" {
            if is_lenient(policy) {
                return Ok(found);
            }
            let message = format!(
                "policy '{}' with binding '{}' denied request: failed to configure binding: no params found for policy binding with `Deny` parameterNotFoundAction",
                policy.get("metadata").str("name"),
                binding.get("metadata").str("name")
            );
            return Err(denied(call, &message, ""));
        }
        Ok(found)
    }

    fn variables(
        &self,
        call: &Call,
        operation: Operation,
        object: &Value,
        old: Option<&Value>,
        params: &Value,
    ) -> Variables {
        let of = |value: &Value| Val::of(value, &Value::Null);
        let is_delete = operation == Operation::Delete;
        let mut variables = Variables::new();
        let now = if is_delete { &Value::Null } else { object };
        variables.insert("object".into(), of(now));
        variables.insert("oldObject".into(), of(old.unwrap_or(&Value::Null)));
        variables.insert("params".into(), of(params));
        let namespace = self.object("namespaces", &Str::EMPTY, &call.namespace);
        variables.insert(
            "namespaceObject".into(),
            of(namespace.unwrap_or(&Value::Null)),
        );
        variables.insert("request".into(), of(&request(call, operation)));
        variables.insert("authorizer".into(), Val::Check(Default::default()));
        let mut own = vec![
            (Str::from("group"), call.kind.group.clone()),
            ("resource".into(), call.plural()),
            ("namespace".into(), call.namespace.clone()),
            ("name".into(), call.name.clone()),
        ];
        if !call.subresource.is_empty() {
            own.push(("subresource".into(), call.subresource.clone()));
        }
        variables.insert("authorizer.requestResource".into(), Val::Check(own.into()));
        variables
    }
}

/// The names that expressions of a policy may use.
pub(crate) const NAMES: [&str; 8] = [
    "object",
    "oldObject",
    "params",
    "namespaceObject",
    "request",
    "authorizer",
    "authorizer.requestResource",
    "variables",
];

/// Reads an expression of a policy.
pub(crate) fn compile(text: &str) -> Result<Program, String> {
    let names = NAMES.map(|name| (name, &Value::Null));
    Program::compile(text, &names)
}

/// One policy at work on one write.
struct Run<'a> {
    server: &'a ApiServer,
    user: &'a User,
    policy: &'a Value,
    variables: Variables,
    budget: u64,
}

impl<'a> Run<'a> {
    fn new(
        server: &'a ApiServer,
        user: &'a User,
        policy: &'a Value,
        variables: Variables,
    ) -> Run<'a> {
        let mut run = Run {
            server,
            user,
            policy,
            variables,
            budget: BUDGET,
        };
        run.variables
            .insert("variables".into(), Val::Map(Default::default()));
        run
    }

    fn eval(&mut self, text: &str) -> Result<Val, String> {
        let asked = Asked {
            server: self.server,
            user: self.user,
        };
        compile(text)?.evaluate(&self.variables, &asked, &mut self.budget)
    }

    /// Whether the policy's conditions hold; an error is a refusal's message.
    fn is_wanted(&mut self) -> Result<bool, String> {
        for condition in self.policy.path("spec.matchConditions").items() {
            match self.eval(condition.str("expression")) {
                Ok(Val::Bool(true)) => {}
                Ok(_) => return Ok(false),
                Err(error) => return Err(error),
            }
        }
        // Variables that fail are absent: only those who use them fail.
        let mut made = std::collections::BTreeMap::new();
        for variable in self.policy.path("spec.variables").items() {
            if let Ok(value) = self.eval(variable.str("expression")) {
                made.insert(cel::Key::Text(variable.shared_str("name")), value);
                let all = Val::Map(std::sync::Arc::new(made.clone()));
                self.variables.insert("variables".into(), all);
            }
        }
        Ok(true)
    }

    /// What a validating policy finds wrong: messages with their reasons.
    fn verdicts(&mut self) -> Vec<(String, Str)> {
        let is_lenient = is_lenient(self.policy);
        match self.is_wanted() {
            Ok(true) => {}
            Ok(false) => return Vec::new(),
            Err(_) if is_lenient => return Vec::new(),
            Err(error) => return vec![(error, Str::EMPTY)],
        }
        let mut found = Vec::new();
        for rule in self.policy.path("spec.validations").items() {
            let text = rule.str("expression").trim();
            let message = match self.eval(text) {
                Ok(Val::Bool(true)) => continue,
                Ok(_) => self.message(rule, text),
                Err(_) if is_lenient => continue,
                Err(error) => format!("expression '{text}' resulted in error: {error}"),
            };
            found.push((message, rule.shared_str("reason")));
        }
        found
    }

    fn message(&mut self, rule: &Value, text: &str) -> String {
        let expression = rule.str("messageExpression");
        if !expression.is_empty()
            && let Ok(Val::Text(said)) = self.eval(expression)
            && !said.trim().is_empty()
            && !said.contains('\n')
        {
            return said.trim().to_owned();
        }
        match rule.str("message").trim() {
            "" => format!("failed expression: {text}"),
            message => message.to_owned(),
        }
    }

    /// The object as one mutation makes it.
    fn mutated(&mut self, call: &Call, mutation: &Value, object: &Value) -> Result<Value, String> {
        if !self.is_wanted()? {
            return Ok(object.clone());
        }
        if mutation.str("patchType") == "JSONPatch" {
            let value = self.eval(mutation.path("jsonPatch").str("expression"))?;
            let patch = value
                .to_value()
                .ok_or("a JSON patch is a list of operations")?;
            return json::apply(object, &patch).map_err(|error| format!("JSON Patch: {error}"));
        }
        let value = self.eval(mutation.path("applyConfiguration").str("expression"))?;
        let mut config = value
            .to_value()
            .ok_or("an apply configuration is an object")?;
        config.set("apiVersion", object.get("apiVersion"));
        config.set("kind", object.get("kind"));
        let manager = Manager {
            name: "admission-policy",
            api_version: &call.api_version,
            ..Manager::default()
        };
        let of = schema::of_kind(&call.kind.group, &call.kind.version, &call.kind.kind);
        let mut merged = apply::apply(of, object, &config, &manager, true)
            .map_err(|status| status.0.message.clone())?;
        // Who owns what is noted for the request as a whole.
        let managers = object.path("metadata.managedFields");
        if managers.is_null() {
            merged.entry("metadata").remove("managedFields");
        } else {
            merged.entry("metadata").set("managedFields", managers);
        }
        Ok(merged)
    }
}

/// Whether a policy that cannot be evaluated lets everything pass.
fn is_lenient(policy: &Value) -> bool {
    policy.path("spec.failurePolicy").as_str() == Some("Ignore")
}

/// Answers what expressions ask of the authorizer.
struct Asked<'a> {
    server: &'a ApiServer,
    user: &'a User,
}

impl World for Asked<'_> {
    fn allows(&self, check: &[(Str, Str)]) -> bool {
        let of = |name: &str| {
            let found = check.iter().find(|(key, _)| key == name);
            found.map(|(_, value)| value.clone()).unwrap_or_default()
        };
        let resource = match (of("resource"), of("subresource")) {
            (resource, sub) if sub.is_empty() => resource.to_string(),
            (resource, sub) => format!("{resource}/{sub}"),
        };
        let wanted = Attributes {
            verb: of("verb"),
            group: of("group"),
            resource,
            namespace: of("namespace"),
            name: of("name"),
            path: of("path"),
        };
        let account = of("user");
        let user = if account.is_empty() {
            self.user.clone()
        } else {
            User {
                name: account,
                groups: vec![
                    "system:serviceaccounts".into(),
                    "system:authenticated".into(),
                ],
                ..User::default()
            }
        };
        self.server.allows(&user, &wanted).is_some()
    }
}

/// `AdmissionRequest` as expressions see it.
fn request(call: &Call, operation: Operation) -> Value {
    let kind = map! {
        "group": call.kind.group.clone(), "version": call.kind.version.clone(), "kind": call.kind.kind.clone(),
    };
    let resource = map! {
        "group": call.kind.group.clone(), "version": call.kind.version.clone(), "resource": call.plural(),
    };
    map! {
        "kind": kind.clone(), "requestKind": kind, "resource": resource.clone(), "requestResource": resource,
        "subResource": call.subresource.clone(), "requestSubResource": call.subresource.clone(),
        "name": call.name.clone(), "namespace": call.namespace.clone(), "operation": operation.name(),
        "userInfo": crate::review::user_info(call.user),
        "dryRun": call.is_dry_run(),
    }
}

/// A refusal with the reason that a rule names (`Invalid` if none).
fn denied(call: &Call, message: &str, reason: &str) -> Status {
    let mut status = super::forbidden(call, message);
    let reason = if reason.is_empty() { "Invalid" } else { reason };
    status.0.reason = reason.to_owned().into();
    status.0.code = match reason {
        "Unauthorized" => 401,
        "Forbidden" => 403,
        "RequestEntityTooLarge" => 413,
        _ => 422,
    };
    let causes = list![map! { "message": message.to_owned() }];
    status.0.details.set("causes", causes);
    status
}
