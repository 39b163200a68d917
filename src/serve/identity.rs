//! Who is who: the cluster's certificate authority, the server's certificate, the administrator's, and the user that a
//! client's certificate names.
//!
//! Models what `kubeadm init` puts into `/etc/kubernetes/pki`, and `authentication/request/x509`.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use apiserver::User;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{
    DigitallySignedStruct, DistinguishedName, RootCertStore, ServerConfig, SignatureScheme,
};

const DAY: Duration = Duration::from_secs(24 * 3600);

/// The names by which clients reach the API server, besides its address.
const SERVER_NAMES: [&str; 7] = [
    "localhost",
    "kubernetes",
    "kubernetes.default",
    "kubernetes.default.svc",
    "kubernetes.default.svc.cluster.local",
    "127.0.0.1",
    "10.96.0.1",
];

/// Freshly made keys and certificates of a cluster. Never printed.
pub(crate) struct Identity {
    pub(crate) authority_pem: String,
    pub(crate) admin_certificate_pem: String,
    pub(crate) admin_key_pem: String,
    pub(crate) tls: Arc<ServerConfig>,
    verifier: Arc<dyn ClientCertVerifier>,
}

impl Identity {
    pub(crate) fn new(address: IpAddr) -> Result<Identity, String> {
        Identity::make(address).map_err(|why| format!("cannot make certificates: {why}"))
    }

    fn make(address: IpAddr) -> Result<Identity, Box<dyn std::error::Error>> {
        let authority_key = KeyPair::generate()?;
        let mut authority = params(Vec::new(), "kubernetes", None, 3650)?;
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        authority.key_usages = vec![
            KeyUsagePurpose::DigitalSignature,
            KeyUsagePurpose::KeyCertSign,
            KeyUsagePurpose::KeyEncipherment,
        ];
        let authority_certificate = authority.self_signed(&authority_key)?;
        let issuer = Issuer::new(authority, authority_key);

        let mut names: Vec<String> = SERVER_NAMES.map(str::to_owned).to_vec();
        names.push(address.to_string());
        names.sort();
        names.dedup();
        let server_key = KeyPair::generate()?;
        let mut server = params(names, "kube-apiserver", None, 365)?;
        server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let server_certificate = server.signed_by(&server_key, &issuer)?;

        let admin_key = KeyPair::generate()?;
        let mut admin = params(
            Vec::new(),
            "kubernetes-admin",
            Some("kubeadm:cluster-admins"),
            365,
        )?;
        admin.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let admin_certificate = admin.signed_by(&admin_key, &issuer)?;

        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut roots = RootCertStore::empty();
        roots.add(authority_certificate.der().clone())?;
        let verifier: Arc<dyn ClientCertVerifier> =
            WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone())
                .allow_unauthenticated()
                .build()?;
        let key = PrivateKeyDer::try_from(server_key.serialize_der())?;
        let mut tls = ServerConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()?
            .with_client_cert_verifier(Arc::new(AskForCertificate {
                hints: verifier.root_hint_subjects().to_vec(),
                provider,
            }))
            .with_single_cert(vec![server_certificate.der().clone()], key)?;
        tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Identity {
            authority_pem: authority_certificate.pem(),
            admin_certificate_pem: admin_certificate.pem(),
            admin_key_pem: admin_key.serialize_pem(),
            tls: Arc::new(tls),
            verifier,
        })
    }

    /// The user that a client's certificates name; the error is a certificate that proves nothing.
    pub(crate) fn user(&self, chain: &[CertificateDer<'_>]) -> Result<Option<User>, ()> {
        let Some((own, above)) = chain.split_first() else {
            return Ok(None);
        };
        self.verifier
            .verify_client_cert(own, above, UnixTime::now())
            .map_err(drop)?;
        let (_, certificate) = x509_parser::parse_x509_certificate(own).map_err(drop)?;
        let subject = certificate.subject();
        let name = subject
            .iter_common_name()
            .find_map(|part| part.as_str().ok())
            .ok_or(())?;
        let groups = subject
            .iter_organization()
            .filter_map(|part| part.as_str().ok())
            .chain(std::iter::once("system:authenticated"));
        Ok(Some(User {
            name: api::Str::new(name),
            groups: groups.map(api::Str::new).collect(),
            ..User::default()
        }))
    }
}

fn params(
    names: Vec<String>,
    common_name: &str,
    organization: Option<&str>,
    days: u32,
) -> Result<CertificateParams, rcgen::Error> {
    let mut params = CertificateParams::new(names)?;
    params.distinguished_name = rcgen::DistinguishedName::new();
    if let Some(organization) = organization {
        params
            .distinguished_name
            .push(DnType::OrganizationName, organization);
    }
    params
        .distinguished_name
        .push(DnType::CommonName, common_name);
    params.key_usages = vec![
        KeyUsagePurpose::DigitalSignature,
        KeyUsagePurpose::KeyEncipherment,
    ];
    params.use_authority_key_identifier_extension = true;
    let now = SystemTime::now();
    // A little in the past, so that clocks that are late agree.
    params.not_before = (now - DAY).into();
    params.not_after = (now + DAY * days).into();
    Ok(params)
}

/// Asks for a certificate and checks only that its key is really held; whether it is one of ours decides later, so that
/// a foreign one is answered with 401 instead of a broken connection.
#[derive(Debug)]
struct AskForCertificate {
    hints: Vec<DistinguishedName>,
    provider: Arc<CryptoProvider>,
}

impl ClientCertVerifier for AskForCertificate {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &self.hints
    }

    fn verify_client_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}
