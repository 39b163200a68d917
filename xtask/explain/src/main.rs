//! Writes what types and fields of Kubernetes mean, for `kubectl explain` and the OpenAPI documents.
//!
//! The sentences are those of the Kubernetes authors, as the crate k8s-openapi carries them (Apache-2.0). They are
//! generated when the product is built, are never committed, and are loaded only when somebody asks. Each line of the
//! output is a name (`v1.Pod`, `v1.Pod.spec`), a tab and a text, sorted by name; line breaks are written as `\n`.
//! The tests hold the schema table against the same crate, field by field.

use std::collections::BTreeMap;

use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Map, Value};

fn main() {
    for (name, text) in texts(&definitions()) {
        println!("{name}\t{}", text.replace('\\', "\\\\").replace('\n', "\\n"));
    }
}

/// Every kind that is served, with all that they consist of, by full name.
fn definitions() -> Map<String, Value> {
    let mut generator = SchemaGenerator::default();
    macro_rules! kinds {
        ($($kind:ty,)*) => { $(see::<$kind>(&mut generator);)* };
    }
    kinds! {
        k8s_openapi::api::core::v1::Binding,
        k8s_openapi::api::core::v1::ComponentStatus,
        k8s_openapi::api::core::v1::ConfigMap,
        k8s_openapi::api::core::v1::Endpoints,
        k8s_openapi::api::core::v1::Event,
        k8s_openapi::api::core::v1::LimitRange,
        k8s_openapi::api::core::v1::Namespace,
        k8s_openapi::api::core::v1::Node,
        k8s_openapi::api::core::v1::PersistentVolumeClaim,
        k8s_openapi::api::core::v1::PersistentVolume,
        k8s_openapi::api::core::v1::Pod,
        k8s_openapi::api::core::v1::PodTemplate,
        k8s_openapi::api::core::v1::ReplicationController,
        k8s_openapi::api::core::v1::ResourceQuota,
        k8s_openapi::api::core::v1::Secret,
        k8s_openapi::api::core::v1::ServiceAccount,
        k8s_openapi::api::core::v1::Service,
        k8s_openapi::kube_aggregator::pkg::apis::apiregistration::v1::APIService,
        k8s_openapi::api::apps::v1::ControllerRevision,
        k8s_openapi::api::apps::v1::DaemonSet,
        k8s_openapi::api::apps::v1::Deployment,
        k8s_openapi::api::apps::v1::ReplicaSet,
        k8s_openapi::api::apps::v1::StatefulSet,
        k8s_openapi::api::events::v1::Event,
        k8s_openapi::api::authentication::v1::SelfSubjectReview,
        k8s_openapi::api::authentication::v1::TokenReview,
        k8s_openapi::api::authorization::v1::LocalSubjectAccessReview,
        k8s_openapi::api::authorization::v1::SelfSubjectAccessReview,
        k8s_openapi::api::authorization::v1::SelfSubjectRulesReview,
        k8s_openapi::api::authorization::v1::SubjectAccessReview,
        k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler,
        k8s_openapi::api::autoscaling::v1::HorizontalPodAutoscaler,
        k8s_openapi::api::batch::v1::CronJob,
        k8s_openapi::api::batch::v1::Job,
        k8s_openapi::api::certificates::v1::CertificateSigningRequest,
        k8s_openapi::api::networking::v1::IngressClass,
        k8s_openapi::api::networking::v1::Ingress,
        k8s_openapi::api::networking::v1::IPAddress,
        k8s_openapi::api::networking::v1::NetworkPolicy,
        k8s_openapi::api::networking::v1::ServiceCIDR,
        k8s_openapi::api::policy::v1::PodDisruptionBudget,
        k8s_openapi::api::rbac::v1::ClusterRoleBinding,
        k8s_openapi::api::rbac::v1::ClusterRole,
        k8s_openapi::api::rbac::v1::RoleBinding,
        k8s_openapi::api::rbac::v1::Role,
        k8s_openapi::api::storage::v1::CSIDriver,
        k8s_openapi::api::storage::v1::CSINode,
        k8s_openapi::api::storage::v1::CSIStorageCapacity,
        k8s_openapi::api::storage::v1::StorageClass,
        k8s_openapi::api::storage::v1::VolumeAttachment,
        k8s_openapi::api::storage::v1::VolumeAttributesClass,
        k8s_openapi::api::admissionregistration::v1::MutatingAdmissionPolicy,
        k8s_openapi::api::admissionregistration::v1::MutatingAdmissionPolicyBinding,
        k8s_openapi::api::admissionregistration::v1::MutatingWebhookConfiguration,
        k8s_openapi::api::admissionregistration::v1::ValidatingAdmissionPolicy,
        k8s_openapi::api::admissionregistration::v1::ValidatingAdmissionPolicyBinding,
        k8s_openapi::api::admissionregistration::v1::ValidatingWebhookConfiguration,
        k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition,
        k8s_openapi::api::scheduling::v1::PriorityClass,
        k8s_openapi::api::coordination::v1::Lease,
        k8s_openapi::api::node::v1::RuntimeClass,
        k8s_openapi::api::discovery::v1::EndpointSlice,
        k8s_openapi::api::resource::v1::DeviceClass,
        k8s_openapi::api::resource::v1::ResourceClaim,
        k8s_openapi::api::resource::v1::ResourceClaimTemplate,
        k8s_openapi::api::resource::v1::ResourceSlice,
        k8s_openapi::api::flowcontrol::v1::FlowSchema,
        k8s_openapi::api::flowcontrol::v1::PriorityLevelConfiguration,
        k8s_openapi::api::policy::v1::Eviction,
        k8s_openapi::api::autoscaling::v1::Scale,
        k8s_openapi::api::authentication::v1::TokenRequest,
        k8s_openapi::apimachinery::pkg::apis::meta::v1::Status,
    }
    generator.take_definitions(true)
}

fn see<T: JsonSchema>(generator: &mut SchemaGenerator) {
    generator.subschema_for::<T>();
}

/// `io.k8s.api.core.v1.Pod` as the schema table names it: `v1.Pod`.
fn short_name(name: &str) -> String {
    for (prefix, short) in [
        ("io.k8s.api.core.", ""),
        ("io.k8s.apimachinery.pkg.apis.meta.v1.", ""),
        ("io.k8s.apiextensions-apiserver.pkg.apis.", ""),
        ("io.k8s.kube-aggregator.pkg.apis.", ""),
        ("io.k8s.api.", ""),
    ] {
        if let Some(rest) = name.strip_prefix(prefix) {
            return format!("{short}{rest}");
        }
    }
    name.to_owned()
}

fn texts(definitions: &Map<String, Value>) -> BTreeMap<String, String> {
    let mut texts = BTreeMap::new();
    for (name, definition) in definitions {
        let name = short_name(name);
        let mut add = |name: String, schema: &Value| {
            if let Some(text) = schema["description"].as_str() {
                texts.insert(name, text.to_owned());
            }
        };
        add(name.clone(), definition);
        for (field, schema) in definition["properties"].as_object().into_iter().flatten() {
            add(format!("{name}.{field}"), schema);
        }
    }
    texts
}

#[cfg(test)]
mod tests {
    use super::*;
    use api::schema;

    /// Types that the table holds as one shape (`Time`, `Quantity`), not as a struct with fields.
    fn is_simple(definition: &Value) -> bool {
        !definition["properties"].is_object()
    }

    #[test]
    fn every_field_of_every_served_kind_is_in_the_table() {
        let mut missing = Vec::new();
        let mut checked = 0;
        for (name, definition) in &definitions() {
            if is_simple(definition) {
                continue;
            }
            let name = short_name(name);
            let Some(of) = schema::named(&name) else {
                missing.push(name);
                continue;
            };
            for field in definition["properties"].as_object().into_iter().flatten().map(|(k, _)| k) {
                checked += 1;
                if of.field(field).is_none() {
                    missing.push(format!("{name}.{field}"));
                }
            }
        }
        println!("{checked} fields");
        assert_eq!(missing, Vec::<String>::new());
        assert!(checked > 2_000);
    }

    #[test]
    fn the_table_has_no_field_that_does_not_exist() {
        let definitions = definitions();
        let known: BTreeMap<String, &Value> =
            definitions.iter().map(|(name, value)| (short_name(name), value)).collect();
        let mut foreign = Vec::new();
        for of in schema::types() {
            let Some(definition) = known.get(of.name()) else {
                continue;
            };
            for field in of.fields() {
                if definition["properties"].get(field.name).is_none() && field.name != "apiVersion" && field.name != "kind" {
                    foreign.push(format!("{}.{}", of.name(), field.name));
                }
            }
        }
        assert_eq!(foreign, Vec::<String>::new());
    }

    #[test]
    fn texts_have_the_names_of_the_table() {
        let texts = texts(&definitions());
        assert!(texts["v1.Pod.spec"].starts_with("Specification of the desired behavior"));
        assert!(texts.contains_key("apps.v1.DeploymentSpec.replicas"));
        assert!(texts.contains_key("ObjectMeta.labels"));
    }
}
