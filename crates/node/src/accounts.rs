//! Users, roles and permissions taken over from another server. They are kept with everything durable, and nothing uses
//! them yet: there is no access control in this version.
//!
//! A row each in `Table::Meta`, its key beginning with `account/`, its value a version byte and a message.

use crate::{Node, NodeError, TakeOverOptions, TakenOver, op::DurableOp};
use bytes::{BufMut, Bytes, BytesMut};
use muster_model::{Row, Table};
use prost::Message;

/// What the key of an account's row begins with.
const KEY: &[u8] = b"account/";
/// The version of a row's value.
const VERSION: u8 = 1;
/// The most characters of a name, a role, a resource.
const CHARS_MAX: usize = 512;

/// One user, role or permission.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Account {
    /// A user and the bcrypt hash of the password.
    User {
        /// The name.
        name: String,
        /// `$2a$10$…`, 60 characters.
        hash: String,
        /// Whether the user may log in.
        enabled: bool,
    },
    /// A user has a role.
    Role {
        /// The user.
        user: String,
        /// The role.
        role: String,
    },
    /// A role may do something.
    Permission {
        /// The role.
        role: String,
        /// What to: `namespace:group:type/name`, with stars.
        resource: String,
        /// `r`, `w` or `rw`.
        action: String,
    },
}

#[derive(Clone, PartialEq, Message)]
struct AccountMessage {
    #[prost(string, tag = "1")]
    hash: String,
    #[prost(bool, tag = "2")]
    enabled: bool,
}

impl Account {
    /// Why it can't be kept, if it can't.
    fn refusal(&self) -> Option<String> {
        let texts: Vec<&str> = match self {
            Self::User { name, hash, .. } if !is_bcrypt(hash) => {
                return Some(format!(
                    "the password of {name} is not hashed by bcrypt: it has to be set anew"
                ));
            }
            Self::User { name, .. } => vec![name],
            Self::Role { user, role } => vec![user, role],
            Self::Permission { role, resource, action } => vec![role, resource, action],
        };
        let is_name = |text: &&str| {
            !text.is_empty() && text.chars().count() <= CHARS_MAX && !text.chars().any(char::is_control)
        };
        (!texts.iter().all(is_name)).then(|| "a name is blank, too long, or has control characters".into())
    }

    fn row_key(&self) -> Bytes {
        let parts: [&str; 4] = match self {
            Self::User { name, .. } => ["user", name, "", ""],
            Self::Role { user, role } => ["role", user, role, ""],
            Self::Permission { role, resource, action } => ["permission", role, resource, action],
        };
        [KEY, parts.join("\0").trim_end_matches('\0').as_bytes()].concat().into()
    }

    fn row(&self) -> Row {
        let message = match self {
            Self::User { hash, enabled, .. } => AccountMessage { hash: hash.clone(), enabled: *enabled },
            Self::Role { .. } | Self::Permission { .. } => AccountMessage::default(),
        };
        let mut value = BytesMut::with_capacity(1 + message.encoded_len());
        value.put_u8(VERSION);
        message.encode(&mut value).expect("a growing buffer has room");
        Row { table: Table::Meta, key: self.row_key(), value: Some(value.freeze()) }
    }
}

/// Whether a text is a hash of bcrypt: `$2a$10$` and 53 characters of its base 64.
fn is_bcrypt(hash: &str) -> bool {
    let Some((head, rest)) = hash.split_at_checked(7) else { return false };
    let mut parts = head.split('$');
    let (begin, kind, cost) = (parts.next(), parts.next(), parts.next());
    let is_cost = cost
        .is_some_and(|cost| cost.len() == 2 && cost.parse().is_ok_and(|cost: u8| (4..=31).contains(&cost)));
    begin == Some("")
        && matches!(kind, Some("2a" | "2b" | "2y"))
        && is_cost
        && rest.len() == 53
        && rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'/'))
}

impl Node {
    /// Takes over accounts, one after the other, and says of each what came of it.
    pub async fn take_over_accounts(
        &self,
        accounts: Vec<Account>,
        options: TakeOverOptions,
    ) -> Result<Vec<TakenOver>, NodeError> {
        self.ready()?;
        let mut reports = Vec::with_capacity(accounts.len());
        for account in accounts {
            reports.push(self.take_over_account(account, options).await?);
        }
        Ok(reports)
    }

    async fn take_over_account(
        &self,
        account: Account,
        options: TakeOverOptions,
    ) -> Result<TakenOver, NodeError> {
        if let Some(why) = account.refusal() {
            return Ok(TakenOver::Refused(why));
        }
        let row = account.row();
        let taken = match self.state.get(Table::Meta, &row.key)? {
            None => TakenOver::Created,
            here if here == row.value => return Ok(TakenOver::Same),
            Some(_) if !options.overwrite => return Ok(TakenOver::Differs(vec!["password"])),
            Some(_) => TakenOver::Replaced(vec!["password"]),
        };
        if !options.dry_run {
            self.propose(DurableOp::Account(row)).await?;
        }
        Ok(taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_bcrypt_is_kept() {
        assert!(is_bcrypt("$2a$10$EuWPZHzz32dJN7jexM34MOeYirDdFAZm2kuWj7VEOJhhZkDrxfvUu"));
        for hash in
            ["", "nacos", "$2a$10$short", "$1a$10$EuWPZHzz32dJN7jexM34MOeYirDdFAZm2kuWj7VEOJhhZkDrxfvUu"]
        {
            assert!(!is_bcrypt(hash), "{hash}");
        }
    }

    #[test]
    fn each_has_a_row_of_its_own() {
        let role = |user: &str, role: &str| Account::Role { user: user.into(), role: role.into() };
        assert_ne!(role("a", "bc").row_key(), role("ab", "c").row_key());
        let user = |name: &str| Account::User { name: name.into(), hash: String::new(), enabled: true };
        assert!(user("a").refusal().is_some() && role("", "x").refusal().is_some());
        assert!(role("a\0", "x").refusal().is_some() && role("a", "x").refusal().is_none());
    }
}
