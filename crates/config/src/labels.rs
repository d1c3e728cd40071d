//! What is known of a client that reads configs.

/// What gray rules select by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClientLabels {
    /// The client's address as it declared it, or the peer's.
    pub ip: String,
    /// Its tag (`Vipserver-Tag`).
    pub tag: Option<String>,
    /// Its other labels, as name and value.
    pub others: Vec<(String, String)>,
}

impl ClientLabels {
    /// The name of the address among labels, in Nacos's rules.
    pub const IP: &'static str = "ClientIp";
    /// The name of the tag among labels.
    pub const TAG: &'static str = "Vipserver-Tag";

    /// Labels of a client of which only the address is known.
    pub fn of_ip(ip: impl Into<String>) -> Self {
        Self { ip: ip.into(), ..Self::default() }
    }

    /// A label by its name.
    pub fn get(&self, name: &str) -> Option<&str> {
        match name {
            Self::IP => Some(&self.ip),
            Self::TAG => self.tag.as_deref(),
            _ => self.others.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str()),
        }
    }
}
