//! Who signs certificates where operators do it themselves.

use crate::group::Group;
use jiff::civil::Date;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};

/// Signs certificates, as operators do.
pub(crate) struct Office {
    params: CertificateParams,
    key: KeyPair,
    /// What signs the others.
    pub(crate) certificate: String,
}

impl Office {
    pub(crate) fn open() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap().pem();
        Self { params, key, certificate }
    }

    /// Settings that name files with a certificate of a key, and what signs the others. It ends with the beginning of a
    /// day, or after a long time.
    pub(crate) fn sign(
        &self,
        group: &Group,
        name: &str,
        key: &KeyPair,
        trusted: &str,
        ends: Option<Date>,
    ) -> [String; 3] {
        let mut params = CertificateParams::new(vec![format!("{name}.example")]).unwrap();
        if let Some(day) = ends {
            let (month, of_month) = (day.month().unsigned_abs(), day.day().unsigned_abs());
            params.not_after = date_time_ymd(day.year().into(), month, of_month);
        }
        let issuer = Issuer::from_params(&self.params, &self.key);
        let certificate = params.signed_by(key, &issuer).unwrap().pem();
        [("ca", trusted), ("certificate", &certificate), ("key", &key.serialize_pem())].map(
            |(what, content)| {
                let file = group.file(&format!("{name}.{what}"), content);
                format!("cluster_{what}={}", file.display())
            },
        )
    }
}

/// The list of nodes and the files of one of them, as arguments.
pub(crate) fn with<'a>(list: &'a str, files: &'a [String; 3]) -> [&'a str; 8] {
    ["--set", list, "--set", &files[0], "--set", &files[1], "--set", &files[2]]
}
