//! What operators switch while the server runs, under the names that Nacos's runbooks use (naming `SwitchDomain`).

use std::{collections::BTreeMap, str::FromStr};

/// The switches. `Default` is the one place of the defaults. Those whose thing this server does not have are kept and
/// shown, without meaning; each says so.
#[derive(Clone, Debug, PartialEq)]
pub struct Switches {
    /// Addresses of masters. No meaning here.
    pub masters: Option<Vec<String>>,
    /// How often a client that is told of changes reads a list nevertheless, milliseconds (10,000, at least that): the
    /// `cacheMillis` of lists.
    pub push_cache_ms: u64,
    /// How often a client beats unless its instance says otherwise, milliseconds (5,000).
    pub client_beat_interval_ms: u64,
    /// How often a client of 1.0 reads a list, milliseconds (3,000, at least 1,000). No meaning here.
    pub default_cache_ms: u64,
    /// Share of nodes that must be alive (0.7, above 0). No meaning here.
    pub distro_threshold: f32,
    /// Whether lost leases and active checks change anything (true).
    pub health_check: bool,
    /// No meaning here (true).
    pub auto_change_health_check: bool,
    /// No meaning here (true).
    pub distro: bool,
    /// No meaning here (true).
    pub standalone: bool,
    /// Whether changes of services are pushed (true). What is not pushed meanwhile is pushed, once and as it is then,
    /// when this is switched on again.
    pub push: bool,
    /// Equal findings of an active check in a row that decide (3).
    pub check_times: u32,
    /// Pace of HTTP checks.
    pub http_health: HealthParams,
    /// Pace of TCP checks.
    pub tcp_health: HealthParams,
    /// Pace of MySQL checks.
    pub mysql_health: HealthParams,
    /// Milliseconds (2,000; set to at least 15,000). No meaning here.
    pub server_status_sync_ms: u64,
    /// Milliseconds (5,000, at least that). No meaning here.
    pub service_status_sync_ms: u64,
    /// No meaning here (false), as in Nacos since 2.0.
    pub disable_add_ip: bool,
    /// No meaning here (false), as in Nacos since 2.0.
    pub send_beat_only: bool,
    /// Whether clients are told that a beat needs no body (true).
    pub light_beat: bool,
    /// What the paths of naming requests may begin with to be refused, and the status of the refusal (none).
    pub limited_urls: BTreeMap<String, u16>,
    /// Milliseconds (10,000). No meaning here.
    pub distro_server_expired_ms: u64,
    /// Since which version a client takes pushes over UDP.
    pub push_since: PushVersions,
    /// What the server says it is, whatever it is; `None`: what it is.
    pub overridden_status: Option<ServerStatus>,
    /// Whether an instance is ephemeral that does not say (true).
    pub default_ephemeral: bool,
}

/// Since which version clients take pushes over UDP: `0.1.0`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PushVersions {
    /// `Nacos-Go-Client` (0.1.0).
    pub go: String,
    /// `Nacos-Java-Client` (0.1.0).
    pub java: String,
    /// `Nacos-Python-Client` and `Nacos-DNS` (0.4.3).
    pub python: String,
    /// `Nacos-C-Client` (1.0.12).
    pub c: String,
    /// `Nacos-CSharp-Client` (0.9.0).
    pub csharp: String,
}

/// The pace of a kind of active checks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HealthParams {
    /// The longest pause, milliseconds.
    pub max: i64,
    /// The shortest pause, milliseconds.
    pub min: i64,
    /// How much an old response time counts against a new one, 0 to 1.
    pub factor: f32,
}

/// What a server says of itself to requests of naming.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServerStatus {
    /// All is done.
    Up,
    /// Nothing is done.
    Down,
    /// GET alone is done.
    ReadOnly,
    /// All but GET is done.
    WriteOnly,
}

/// A value that a switch can't take; the text is Nacos's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SwitchError(String);

impl Default for Switches {
    fn default() -> Self {
        Self {
            masters: None,
            push_cache_ms: 10_000,
            client_beat_interval_ms: 5_000,
            default_cache_ms: 3_000,
            distro_threshold: 0.7,
            health_check: true,
            auto_change_health_check: true,
            distro: true,
            standalone: true,
            push: true,
            check_times: 3,
            http_health: HealthParams { max: 5_000, min: 500, factor: 0.85 },
            tcp_health: HealthParams { max: 5_000, min: 1_000, factor: 0.75 },
            mysql_health: HealthParams { max: 3_000, min: 2_000, factor: 0.65 },
            server_status_sync_ms: 2_000,
            service_status_sync_ms: 5_000,
            disable_add_ip: false,
            send_beat_only: false,
            light_beat: true,
            limited_urls: BTreeMap::new(),
            distro_server_expired_ms: 10_000,
            push_since: PushVersions::default(),
            overridden_status: None,
            default_ephemeral: true,
        }
    }
}

impl Default for PushVersions {
    fn default() -> Self {
        let [go, java, python, c, csharp] = ["0.1.0", "0.1.0", "0.4.3", "1.0.12", "0.9.0"].map(str::to_owned);
        Self { go, java, python, c, csharp }
    }
}

impl ServerStatus {
    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Up => "UP",
            Self::Down => "DOWN",
            Self::ReadOnly => "READ_ONLY",
            Self::WriteOnly => "WRITE_ONLY",
        }
    }
}

impl Switches {
    /// Sets a switch from its text. False: there is none of this name, which Nacos does not mind. A refused value
    /// changes nothing.
    ///
    /// The paces of checks are `max,min,factor`.
    pub fn set(&mut self, entry: &str, value: &str) -> Result<bool, SwitchError> {
        match entry {
            "masters" => self.masters = Some(value.split(',').map(str::to_owned).collect()),
            "pushVersion" => self.push_since.set(value)?,
            "limitedUrlMap" if value.is_empty() => {}
            "limitedUrlMap" => self.limited_urls = limited_urls(value)?,
            "enableStandalone" if value.is_empty() => {}
            "overriddenServerStatus" => self.overridden_status = server_status(value)?,
            "distroThreshold" => {
                let threshold: f32 = number(value)?;
                // NaN is none either.
                if threshold > 0.0 {
                    self.distro_threshold = threshold;
                } else {
                    return Err(refused(format!(
                        "distroThreshold can not be zero or negative: {threshold:?}"
                    )));
                }
            }
            "healthCheckTimes" => self.check_times = number(value)?,
            "httpHealthParams" => self.http_health = health_params(value)?.checked()?,
            "tcpHealthParams" => self.tcp_health = health_params(value)?.checked()?,
            "mysqlHealthParams" => self.mysql_health = health_params(value)?.checked()?,
            _ => return self.set_flag(entry, value).map_or_else(|| self.set_millis(entry, value), Ok),
        }
        Ok(true)
    }

    /// `None`: no flag of this name. Java's `parseBoolean`: what is not `true` is false; two know more words.
    fn set_flag(&mut self, entry: &str, value: &str) -> Option<bool> {
        let mut is_on = value.eq_ignore_ascii_case("true");
        let flag = match entry {
            "distro" => &mut self.distro,
            "check" | "healthCheckEnabled" => &mut self.health_check,
            "pushEnabled" => &mut self.push,
            "disableAddIP" => &mut self.disable_add_ip,
            "sendBeatOnly" => &mut self.send_beat_only,
            "enableStandalone" => &mut self.standalone,
            "defaultInstanceEphemeral" => &mut self.default_ephemeral,
            "lightBeatEnabled" | "autoChangeHealthCheckEnabled" => {
                is_on = ["true", "on", "yes", "t", "y"].iter().any(|word| value.eq_ignore_ascii_case(word));
                if entry == "lightBeatEnabled" {
                    &mut self.light_beat
                } else {
                    &mut self.auto_change_health_check
                }
            }
            _ => return None,
        };
        *flag = is_on;
        Some(true)
    }

    fn set_millis(&mut self, entry: &str, value: &str) -> Result<bool, SwitchError> {
        let (millis, min, too_small) = match entry {
            // Below that, clients would do nothing but beat.
            "clientBeatInterval" => {
                (&mut self.client_beat_interval_ms, 1, "clientBeatInterval is too small(<1)")
            }
            "pushCacheMillis" => {
                (&mut self.push_cache_ms, 10_000, "min cache time for http or tcp is too small(<10000)")
            }
            "defaultCacheMillis" => {
                (&mut self.default_cache_ms, 1_000, "min default cache time  is too small(<1000)")
            }
            "serviceStatusSynchronizationPeriodMillis" => (
                &mut self.service_status_sync_ms,
                5_000,
                "serviceStatusSynchronizationPeriodMillis is too small(<5000)",
            ),
            "serverStatusSynchronizationPeriodMillis" => (
                &mut self.server_status_sync_ms,
                15_000,
                "serverStatusSynchronizationPeriodMillis is too small(<15000)",
            ),
            "distroServerExpiredMillis" => {
                (&mut self.distro_server_expired_ms, 0, "distroServerExpiredMillis is too small(<0)")
            }
            _ => return Ok(false),
        };
        let given: i64 = number(value)?;
        match u64::try_from(given) {
            Ok(given) if given >= min => *millis = given,
            Ok(_) | Err(_) => return Err(refused(too_small)),
        }
        Ok(true)
    }
}

impl PushVersions {
    fn set(&mut self, value: &str) -> Result<(), SwitchError> {
        let Some((client, version)) = value.split_once(':') else {
            return Err(refused(format!("illegal format, must be 'type:version', but got: {value}")));
        };
        let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if version.split('.').count() != 3 || !version.split('.').all(is_number) {
            return Err(refused("illegal version, must match: [0-9]+\\.[0-9]+\\.[0-9]+"));
        }
        let place = match client {
            "go" => &mut self.go,
            "java" => &mut self.java,
            "python" => &mut self.python,
            "c" => &mut self.c,
            "csharp" => &mut self.csharp,
            _ => return Err(refused(format!("unsupported client type: {client}"))),
        };
        *place = version.to_owned();
        Ok(())
    }
}

impl HealthParams {
    fn checked(self) -> Result<Self, SwitchError> {
        let wrong = if self.min < 500 {
            "min check time for http or tcp is too small(<500)"
        } else if self.max < 3_000 {
            "max check time for http or tcp is too small(<3000)"
        } else if !(0.0..=1.0).contains(&self.factor) {
            "malformed factor"
        } else {
            return Ok(self);
        };
        Err(refused(wrong))
    }
}

fn refused(text: impl Into<String>) -> SwitchError {
    SwitchError(text.into())
}

fn number<T: FromStr>(text: &str) -> Result<T, SwitchError> {
    text.trim().parse().map_err(|_| refused(format!("For input string: \"{text}\"")))
}

fn health_params(text: &str) -> Result<HealthParams, SwitchError> {
    let mut parts = text.splitn(3, ',');
    let mut part = || parts.next().unwrap_or_default();
    Ok(HealthParams { max: number(part())?, min: number(part())?, factor: number(part())? })
}

fn server_status(text: &str) -> Result<Option<ServerStatus>, SwitchError> {
    use ServerStatus::{Down, ReadOnly, Up, WriteOnly};
    if text.trim().is_empty() || text == "null" {
        return Ok(None);
    }
    let found = [Up, Down, ReadOnly, WriteOnly].into_iter().find(|status| status.as_str() == text);
    found.map(Some).ok_or_else(|| refused(format!("illegal server status: {text}")))
}

/// `/path:code,…`.
fn limited_urls(text: &str) -> Result<BTreeMap<String, u16>, SwitchError> {
    let mut urls = BTreeMap::new();
    for part in text.split(',') {
        let (url, code) = part.split_once(':').ok_or_else(|| refused("invalid input for limited urls"))?;
        if url.is_empty() {
            return Err(refused("url can not be empty, url: "));
        }
        let code: u16 = number(code)?;
        // A status that HTTP has and that ends a request.
        if !(200..=999).contains(&code) {
            return Err(refused(format!("illegal normal status code: {code}")));
        }
        urls.insert(url.to_owned(), code);
    }
    Ok(urls)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(entry: &str, value: &str) -> String {
        let mut switches = Switches::default();
        let refusal = switches.set(entry, value).unwrap_err().to_string();
        assert_eq!(switches, Switches::default());
        refusal
    }

    #[test]
    fn switches_are_set_by_name() {
        let mut switches = Switches::default();
        for (entry, value) in [
            ("healthCheckTimes", "4"),
            ("pushEnabled", "false"),
            ("lightBeatEnabled", "no"),
            ("overriddenServerStatus", "READ_ONLY"),
            ("limitedUrlMap", "/nacos/v1/ns/instance:503,/x:429"),
            ("pushVersion", "java:1.4.0"),
            ("tcpHealthParams", "6000,1000,0.5"),
            ("masters", "a,b"),
        ] {
            assert_eq!(switches.set(entry, value), Ok(true), "{entry}");
        }
        assert_eq!(switches.check_times, 4);
        assert!(!switches.push && !switches.light_beat);
        assert_eq!(switches.overridden_status, Some(ServerStatus::ReadOnly));
        assert_eq!(switches.limited_urls["/x"], 429);
        assert_eq!(switches.push_since.java, "1.4.0");
        assert_eq!(switches.tcp_health, HealthParams { max: 6_000, min: 1_000, factor: 0.5 });
        assert_eq!(switches.set("overriddenServerStatus", "null"), Ok(true));
        assert_eq!(switches.overridden_status, None);
        assert_eq!(switches.set("nonsense", "1"), Ok(false));
    }

    #[test]
    fn bad_values_are_refused_and_change_nothing() {
        assert_eq!(refusal("pushCacheMillis", "1"), "min cache time for http or tcp is too small(<10000)");
        assert_eq!(refusal("defaultCacheMillis", "x"), "For input string: \"x\"");
        assert_eq!(refusal("clientBeatInterval", "-5"), "clientBeatInterval is too small(<1)");
        assert_eq!(refusal("distroThreshold", "0"), "distroThreshold can not be zero or negative: 0.0");
        refusal("distroThreshold", "NaN");
        refusal("pushVersion", "java:1");
        refusal("pushVersion", "rust:1.0.0");
        refusal("limitedUrlMap", "/x");
        refusal("limitedUrlMap", "/x:70000");
        refusal("limitedUrlMap", "/x:0");
        refusal("overriddenServerStatus", "SLEEPY");
        refusal("tcpHealthParams", "1,2,3");
        refusal("healthCheckTimes", "99999999999");
    }
}
