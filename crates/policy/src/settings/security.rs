//! The Security tab: who may send what, as whom.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use mail::{Address, Domain};
use serde::{Deserialize, Serialize};

use crate::{Direction, UserName};

/// An address range such as `192.168.0.0/24`; as text in settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Network {
    /// Its first address.
    pub address: IpAddr,
    /// Length of the prefix in bits.
    pub prefix: u8,
}

/// The first column of the relay table (S4.7).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "kebab-case")]
pub enum Who {
    /// Every internal peer (ADR 3).
    Internal,
    /// Internal peers of one range.
    Range {
        /// The range.
        network: Network,
    },
    /// One machine by address.
    Host {
        /// Its address.
        address: IpAddr,
    },
    /// Users who signed in.
    SignedIn,
    /// Everybody.
    Anyone,
}

/// One line of the relay table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RelayEntry {
    /// What people call it; decisions are explained by it, so no two are the same.
    /// Default: none, it must be named. Source: ARCHITECTURE.md, The way of a message.
    pub name: String,
    /// Whom it speaks of.
    /// Default: none, it must be named. Source: product duty S4.7.
    pub who: Who,
    /// What it allows; what no line allows is refused.
    /// Default: nothing. Source: product duty S4.7.
    pub allows: Vec<Direction>,
}

/// A machine without sign-in that may send under its own rules (B9).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Device {
    /// What people call it; no two are the same.
    /// Default: none, it must be named. Source: product duty B9.
    pub name: String,
    /// Its address.
    /// Default: none, it must be named. Source: product duty B9.
    pub address: IpAddr,
    /// The addresses it may send as; empty: any address of a listed domain.
    /// Default: empty. Source: product duty S1.1.
    pub may_send_as: Vec<Address>,
    /// Its bare LF is turned into CRLF rather than refused.
    /// Default: off. Source: RFC 5321 §2.3.8 forbids bare LF; some devices send it.
    pub bare_lf_allowed: bool,
}

/// Who may send what, as whom.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Security {
    /// The relay table; the first line that allows a message is named as the reason.
    /// Default: empty, the scenario fills it. Source: product duty S4.7.
    pub relay: Vec<RelayEntry>,
    /// Senders are held to their own addresses, in the reverse-path and the header From.
    /// Default: on. Source: product duty S1.1, RFC 6409 §6.1.
    pub senders_held_to_own: bool,
    /// Further addresses a user may send as, beyond those of the Addresses tab.
    /// Default: none. Source: product duty S1.1.
    pub may_send_as: Vec<SendAs>,
    /// Machines without sign-in.
    /// Default: none. Source: product duty B9.
    pub devices: Vec<Device>,
    /// SCRAM-SHA-256 is offered.
    /// Default: off. Source: it locks out users without keys whose programs prefer it.
    pub scram_offered: bool,
    /// Public on-link ranges that a person declared internal.
    /// Default: none. Source: ADR 3; a rented server's neighbours are strangers.
    pub internal_public: Vec<Network>,
}

/// A line that lets a user send as one more address or as any address of one more domain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SendAs {
    /// The user.
    /// Default: none, it must be named. Source: product duty S1.1.
    pub user: UserName,
    /// An address they may use; a line has this or `domain`.
    /// Default: none. Source: product duty S1.1.
    pub address: Option<Address>,
    /// A listed domain of which they may use every address; a line has this or `address`.
    /// Default: none. Source: product duty S1.1.
    pub domain: Option<Domain>,
}

/// The text is no address range.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a range looks like 192.168.0.0/24, a single machine like 192.168.0.7")]
pub struct NetworkSyntax;

impl Network {
    /// The network that holds `address`, its host bits cleared; `None` where the prefix is longer
    /// than the address. An IPv4-mapped address counts as IPv4.
    pub fn new(address: IpAddr, prefix: u8) -> Option<Self> {
        match (address, address.to_canonical()) {
            (IpAddr::V6(_), IpAddr::V4(ip)) => Self::new(IpAddr::V4(ip), prefix.checked_sub(96)?),
            (IpAddr::V4(ip), _) if prefix <= 32 => Some(Self {
                address: IpAddr::V4(Ipv4Addr::from_bits(ip.to_bits() & mask_v4(prefix))),
                prefix,
            }),
            (IpAddr::V6(ip), _) if prefix <= 128 => Some(Self {
                address: IpAddr::V6(Ipv6Addr::from_bits(ip.to_bits() & mask_v6(prefix))),
                prefix,
            }),
            _ => None,
        }
    }

    /// Whether `address` lies in the range; an IPv4-mapped address counts as IPv4.
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(net), IpAddr::V4(ip)) => {
                let mask = mask_v4(self.prefix);
                net.to_bits() & mask == ip.to_bits() & mask
            }
            (IpAddr::V6(net), IpAddr::V6(ip)) => {
                let mask = mask_v6(self.prefix);
                net.to_bits() & mask == ip.to_bits() & mask
            }
            _ => false,
        }
    }

    /// Whether every address of `other` lies in this range.
    pub fn covers(&self, other: &Self) -> bool {
        self.prefix <= other.prefix && self.contains(other.address)
    }

    /// Whether it is a single address.
    pub const fn is_host(&self) -> bool {
        match self.address {
            IpAddr::V4(_) => self.prefix >= 32,
            IpAddr::V6(_) => self.prefix >= 128,
        }
    }
}

fn mask_v4(prefix: u8) -> u32 {
    u32::MAX
        .checked_shl(32_u32.saturating_sub(u32::from(prefix)))
        .unwrap_or(0)
}

fn mask_v6(prefix: u8) -> u128 {
    u128::MAX
        .checked_shl(128_u32.saturating_sub(u32::from(prefix)))
        .unwrap_or(0)
}

impl std::fmt::Display for Network {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

impl std::str::FromStr for Network {
    type Err = NetworkSyntax;

    fn from_str(text: &str) -> Result<Self, NetworkSyntax> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| NetworkSyntax)?;
        let prefix = match prefix {
            Some(digits) => digits.parse().map_err(|_| NetworkSyntax)?,
            None if address.is_ipv4() => 32,
            None => 128,
        };
        Self::new(address, prefix).ok_or(NetworkSyntax)
    }
}

impl Serialize for Network {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Network {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// The text is nobody that a line of the relay table can speak of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("write internal, signed-in, anyone, an address or a range such as 192.168.0.0/24")]
pub struct WhoSyntax;

impl std::str::FromStr for Who {
    type Err = WhoSyntax;

    fn from_str(text: &str) -> Result<Self, WhoSyntax> {
        match text {
            "internal" => return Ok(Self::Internal),
            "signed-in" => return Ok(Self::SignedIn),
            "anyone" => return Ok(Self::Anyone),
            _ => {}
        }
        let network: Network = text.parse().map_err(|_: NetworkSyntax| WhoSyntax)?;
        if network.is_host() {
            let address = network.address;
            Ok(Self::Host { address })
        } else {
            Ok(Self::Range { network })
        }
    }
}

impl std::fmt::Display for Who {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Internal => f.write_str("internal"),
            Self::SignedIn => f.write_str("signed-in"),
            Self::Anyone => f.write_str("anyone"),
            Self::Range { network } => network.fmt(f),
            Self::Host { address } => address.fmt(f),
        }
    }
}
