//! Admission policies, webhooks and rules in CEL, seen from outside.

use api::core::PODS;
use api::{PatchKind, Request, Resource, Response, Value};

use super::slice::{done, server};
use crate::ApiServer;

fn create(server: &mut ApiServer, yaml: &str) -> Response {
    let object = api::yaml::load(yaml).expect("YAML");
    let (api_version, kind) = (object.str("apiVersion"), object.str("kind"));
    let (group, version) = api::kinds::split_api_version(api_version);
    let built_in = api::kinds::by_api_version(api_version, kind);
    let resource = match built_in {
        Some(kind) => kind.resource(),
        None => Resource {
            group: group.to_owned().into(),
            version: version.to_owned().into(),
            plural: format!("{}s", kind.to_lowercase()).into(),
        },
    };
    let is_namespaced = built_in.is_none_or(|kind| kind.namespaced);
    let namespace = if is_namespaced { "default" } else { "" };
    done(server, &Request::create(&resource, namespace, object))
}

fn must(response: Response) -> Value {
    assert!(response.is_success(), "{}", response.message());
    response.body
}

const POD: &str = "{apiVersion: v1, kind: Pod, metadata: {name: p, labels: {app: web}}, spec: {containers: [{name: c, image: nginx}]}}";

fn policy(spec: &str) -> String {
    format!(
        "apiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingAdmissionPolicy\nmetadata: {{name: demo}}\nspec:\n  matchConstraints: {{resourceRules: [{{apiGroups: [''], apiVersions: [v1], operations: [CREATE, UPDATE], resources: [pods]}}]}}\n  {spec}"
    )
}

fn binding(actions: &str) -> String {
    format!(
        "{{apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingAdmissionPolicyBinding, metadata: {{name: demo-binding}}, spec: {{policyName: demo, validationActions: [{actions}]}}}}"
    )
}

#[test]
fn a_policy_refuses_what_its_expression_denies() {
    let mut server = server();
    let rule = "validations: [{expression: \"has(object.metadata.labels.team) && object.metadata.labels.team in variables.teams\", messageExpression: \"'no team in ' + request.namespace\"}]\n  variables: [{name: teams, expression: \"['a', 'b']\"}]";
    must(create(&mut server, &policy(rule)));
    must(create(
        &mut server,
        POD.replace("name: p", "name: before").as_str(),
    ));
    must(create(&mut server, &binding("Deny")));
    let refused = create(&mut server, POD);
    assert_eq!((refused.code, refused.reason()), (422, "Invalid"));
    assert_eq!(
        refused.message(),
        "pods \"p\" is forbidden: ValidatingAdmissionPolicy 'demo' with binding 'demo-binding' denied request: no team in default"
    );
    must(create(&mut server, &POD.replace("app: web", "team: a")));
}

#[test]
fn a_binding_may_only_warn() {
    let mut server = server();
    must(create(
        &mut server,
        &policy(
            "validations: [{expression: 'object.spec.containers.all(c, c.image.contains(\":\"))'}]",
        ),
    ));
    must(create(&mut server, &binding("Warn")));
    let warned = create(&mut server, POD);
    assert!(warned.is_success());
    assert_eq!(
        warned.warnings[0].as_str(),
        "Validation failed for ValidatingAdmissionPolicy 'demo' with binding 'demo-binding': failed expression: object.spec.containers.all(c, c.image.contains(\":\"))"
    );
}

#[test]
fn parameters_come_from_an_object_of_the_cluster() {
    let mut server = server();
    must(create(
        &mut server,
        "{apiVersion: v1, kind: ConfigMap, metadata: {name: limits}, data: {most: '1'}}",
    ));
    must(create(
        &mut server,
        &policy(
            "paramKind: {apiVersion: v1, kind: ConfigMap}\n  validations: [{expression: 'object.spec.containers.size() <= int(params.data.most)', reason: Forbidden}]",
        ),
    ));
    let with_params = binding("Deny").replace(
        "policyName: demo",
        "policyName: demo, paramRef: {name: limits, namespace: default, parameterNotFoundAction: Deny}",
    );
    must(create(&mut server, &with_params));
    must(create(&mut server, POD));
    let two = POD.replace("name: p,", "name: q,").replace(
        "[{name: c, image: nginx}]",
        "[{name: c, image: nginx}, {name: d, image: nginx}]",
    );
    let refused = create(&mut server, &two);
    assert_eq!((refused.code, refused.reason()), (403, "Forbidden"));
}

#[test]
fn a_policy_that_cannot_be_read_is_refused() {
    let mut server = server();
    let refused = create(
        &mut server,
        &policy(
            "validations: [{expression: 'object.spec.replicas <='}, {expression: 'nosuch > 1'}]",
        ),
    );
    assert_eq!(refused.code, 422);
    assert!(refused.message().contains("spec.validations[0].expression: Invalid value: \"object.spec.replicas <=\": compilation failed: ERROR: <input>:1:24: Syntax error: mismatched input '<EOF>'"), "{}", refused.message());
    assert!(
        refused
            .message()
            .contains("undeclared reference to 'nosuch' (in container '')")
    );
}

#[test]
fn a_mutating_policy_changes_what_is_stored() {
    let mut server = server();
    let rules = "matchConstraints: {resourceRules: [{apiGroups: [''], apiVersions: [v1], operations: [CREATE], resources: [pods]}]}";
    must(create(
        &mut server,
        &format!(
            "apiVersion: admissionregistration.k8s.io/v1\nkind: MutatingAdmissionPolicy\nmetadata: {{name: sidecar}}\nspec:\n  {rules}\n  reinvocationPolicy: Never\n  failurePolicy: Fail\n  mutations:\n  - patchType: ApplyConfiguration\n    applyConfiguration: {{expression: \"Object{{metadata: Object.metadata{{labels: {{'made': request.operation}}}}, spec: Object.spec{{initContainers: [Object.spec.initContainers{{name: 'mesh', image: 'mesh:1'}}]}}}}\"}}\n  - patchType: JSONPatch\n    jsonPatch: {{expression: \"[JSONPatch{{op: 'add', path: '/metadata/labels/more', value: 'yes'}}]\"}}",
        ),
    ));
    must(create(
        &mut server,
        "{apiVersion: admissionregistration.k8s.io/v1, kind: MutatingAdmissionPolicyBinding, metadata: {name: b}, spec: {policyName: sidecar}}",
    ));
    let pod = must(create(&mut server, POD));
    assert_eq!(
        pod.path("metadata.labels").to_json(),
        r#"{"app":"web","made":"CREATE","more":"yes"}"#
    );
    assert_eq!(
        pod.path("spec.initContainers").items()[0].str("imagePullPolicy"),
        "IfNotPresent"
    );
}

#[test]
fn a_webhook_that_must_answer_refuses_and_one_that_may_not_lets_pass() {
    let mut server = server();
    let hook = |policy: &str| {
        format!(
            "{{apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingWebhookConfiguration, metadata: {{name: {}}}, webhooks: [{{name: check.example.com, failurePolicy: {policy}, sideEffects: None, admissionReviewVersions: [v1], clientConfig: {{service: {{name: s, namespace: ns, path: /v}}}}, rules: [{{apiGroups: [''], apiVersions: [v1], operations: ['*'], resources: [pods]}}]}}]}}",
            policy.to_lowercase()
        )
    };
    must(create(&mut server, &hook("Ignore")));
    must(create(&mut server, POD));
    assert!(
        server.drain_notes().iter().any(
            |note| matches!(note, api::Note::NotSimulated { path, .. } if *path == *"webhooks")
        )
    );
    must(create(&mut server, &hook("Fail")));
    let refused = create(&mut server, &POD.replace("name: p", "name: q"));
    assert_eq!(
        refused.message(),
        "Internal error occurred: failed calling webhook \"check.example.com\": failed to call webhook: Post \"https://s.ns.svc:443/v?timeout=10s\": service \"s\" not found"
    );
}

#[test]
fn rules_of_custom_resources_compare_with_what_was() {
    let mut server = server();
    must(create(
        &mut server,
        "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: boats.sea.example.com}\nspec:\n  group: sea.example.com\n  scope: Namespaced\n  names: {plural: boats, kind: Boat}\n  versions:\n  - name: v1\n    served: true\n    storage: true\n    schema:\n      openAPIV3Schema:\n        type: object\n        properties:\n          spec:\n            type: object\n            x-kubernetes-validations:\n            - {rule: 'self.size >= oldSelf.size', message: boats never shrink, fieldPath: .size, reason: FieldValueForbidden}\n            - {rule: 'self.crew.all(c, c.size() > 1)', messageExpression: \"'crew of ' + string(self.crew.size())\"}\n            properties:\n              size: {type: integer}\n              crew: {type: array, maxItems: 9, items: {type: string}}\n",
    ));
    must(create(
        &mut server,
        "{apiVersion: sea.example.com/v1, kind: Boat, metadata: {name: b}, spec: {size: 3, crew: [ann]}}",
    ));
    let boats = Resource::of("sea.example.com", "v1", "boats");
    let patch = api::yaml::load("spec: {size: 2, crew: [a, b]}").expect("YAML");
    let refused = done(
        &mut server,
        &Request::patch(&boats, "default", "b", PatchKind::Merge, patch),
    );
    assert_eq!(
        refused.message(),
        "Boat.sea.example.com \"b\" is invalid: [spec.size: Forbidden: boats never shrink, spec: Invalid value: crew of 2]"
    );
    let wrong = "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: cars.road.example.com}\nspec:\n  group: road.example.com\n  scope: Namespaced\n  names: {plural: cars, kind: Car}\n  versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object, properties: {a: {type: string}}, x-kubernetes-validations: [{rule: 'self.b > 1'}]}}}}}]\n";
    let refused = create(&mut server, wrong);
    assert!(
        refused
            .message()
            .contains("x-kubernetes-validations[0].rule: Invalid value: {\"Rule\":\"self.b > 1\",\"Message\":\"\""),
        "{}",
        refused.message()
    );
    assert!(refused.message().contains("undefined field 'b'"));
}

#[test]
fn a_kubelet_touches_only_its_own() {
    let mut server = server();
    must(create(
        &mut server,
        &POD.replace("spec: {", "spec: {nodeName: node-2, "),
    ));
    let caller = crate::Caller::component(api::Part::Kubelet(0));
    let mut ask =
        |request: &Request| match server.handle(server.now, &caller, api::RequestId(9), request) {
            crate::Reply::Done(response) => response,
            other => panic!("{other:?}"),
        };
    let status = api::yaml::load("status: {phase: Running}").expect("YAML");
    let foreign =
        Request::patch(&PODS, "default", "p", PatchKind::Merge, status).subresource("status");
    assert_eq!(
        ask(&foreign).message(),
        "pods \"p\" is forbidden: node \"node-1\" can only update pod status for pods with spec.nodeName set to itself"
    );
    let deletion = Request::delete(&PODS, "default", "p");
    assert_eq!(
        ask(&deletion).message(),
        "pods \"p\" is forbidden: node \"node-1\" can only delete pods with spec.nodeName set to itself"
    );
}

#[test]
fn an_ingress_without_a_class_gets_the_default() {
    let mut server = server();
    must(create(
        &mut server,
        "{apiVersion: networking.k8s.io/v1, kind: IngressClass, metadata: {name: web, annotations: {ingressclass.kubernetes.io/is-default-class: 'true'}}, spec: {controller: example.com/web}}",
    ));
    let ingress = must(create(
        &mut server,
        "{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: i}, spec: {defaultBackend: {service: {name: s, port: {number: 80}}}}}",
    ));
    assert_eq!(ingress.path("spec.ingressClassName").as_str(), Some("web"));
}

#[test]
fn a_definition_says_which_fields_select_and_others_are_named_in_the_refusal() {
    let mut server = server();
    must(create(
        &mut server,
        "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: shirts.shop.example.com}\nspec:\n  group: shop.example.com\n  scope: Namespaced\n  names: {plural: shirts, kind: Shirt}\n  versions:\n  - name: v1\n    served: true\n    storage: true\n    selectableFields: [{jsonPath: .spec.color}]\n    schema:\n      openAPIV3Schema: {type: object, properties: {spec: {type: object, properties: {color: {type: string}, size: {type: integer}}}}}\n",
    ));
    for (name, color) in [("a", "blue"), ("b", "green"), ("c", "blue")] {
        let shirt = format!(
            "{{apiVersion: shop.example.com/v1, kind: Shirt, metadata: {{name: {name}}}, spec: {{color: {color}, size: 3}}}}"
        );
        must(create(&mut server, &shirt));
    }
    let shirts = Resource::of("shop.example.com", "v1", "shirts");
    let mut names = |selector: &'static str| {
        let listed = done(
            &mut server,
            &Request::list(&shirts, "default").fields(selector),
        );
        if !listed.is_success() {
            return listed.message().to_owned();
        }
        let items = listed.body.get("items").items().iter();
        let names = items.map(|item| item.get("metadata").str("name").to_owned());
        names.collect::<Vec<_>>().join(" ")
    };
    assert_eq!(names("spec.color=blue"), "a c");
    assert_eq!(names("spec.color!=blue"), "b");
    assert_eq!(
        names("spec.size=3"),
        "\"spec.size\" is not a known field selector: only \"metadata.name\", \"metadata.namespace\", \"spec.color\""
    );
}
