//! The names of the pretend Internet.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::str::FromStr;

use hickory_proto::op::ResponseCode;
use hickory_proto::rr::rdata::{A, MX};
use hickory_proto::rr::{Name, RData, Record, RecordType};

/// Seconds an answer may be kept; short, so that a demonstration can change its mind.
const TTL_SECS: u32 = 5;

/// Exchangers by domain, addresses by host; a name in neither does not exist.
#[derive(Clone, Debug, Default)]
pub struct Zone {
    exchangers: BTreeMap<String, Vec<(u16, String)>>,
    addresses: BTreeMap<String, Vec<Ipv4Addr>>,
}

impl Zone {
    /// The pretend Internet: hotmail.test on 127.0.0.2, down.test where nobody listens, and the
    /// office's own domain on the gateway.
    pub fn pretend_internet() -> Self {
        let mut zone = Self::default();
        zone.add_host("mx.hotmail.test", Ipv4Addr::new(127, 0, 0, 2));
        zone.add_exchanger("hotmail.test", 10, "mx.hotmail.test");
        zone.add_host("mx.down.test", Ipv4Addr::new(127, 0, 0, 3));
        zone.add_exchanger("down.test", 10, "mx.down.test");
        zone.add_host("mail.office.test", Ipv4Addr::LOCALHOST);
        zone.add_exchanger("office.test", 10, "mail.office.test");
        zone
    }

    /// Adds an address to a host.
    pub fn add_host(&mut self, host: &str, address: Ipv4Addr) {
        self.addresses
            .entry(host.to_owned())
            .or_default()
            .push(address);
    }

    /// Adds an exchanger to a domain.
    pub fn add_exchanger(&mut self, domain: &str, preference: u16, host: &str) {
        self.exchangers
            .entry(domain.to_owned())
            .or_default()
            .push((preference, host.to_owned()));
    }

    /// The answer to one question.
    pub(crate) fn answer(&self, name: &Name, kind: RecordType) -> (ResponseCode, Vec<Record>) {
        let text = name.to_ascii().trim_end_matches('.').to_ascii_lowercase();
        if !self.exchangers.contains_key(&text) && !self.addresses.contains_key(&text) {
            return (ResponseCode::NXDomain, Vec::new());
        }
        let data: Vec<RData> = if kind == RecordType::MX {
            let exchangers = self.exchangers.get(&text).into_iter().flatten();
            exchangers
                .filter_map(|(preference, host)| {
                    let host = Name::from_str(&format!("{host}.")).ok()?;
                    Some(RData::MX(MX::new(*preference, host)))
                })
                .collect()
        } else if kind == RecordType::A {
            let addresses = self.addresses.get(&text).into_iter().flatten();
            addresses.map(|address| RData::A(A(*address))).collect()
        } else {
            Vec::new()
        };
        let record = |data| Record::from_rdata(name.clone(), TTL_SECS, data);
        (
            ResponseCode::NoError,
            data.into_iter().map(record).collect(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_not_there_does_not_exist_and_a_known_one_without_records_does() {
        let zone = Zone::pretend_internet();
        let ask = |name: &str, kind| zone.answer(&Name::from_str(name).unwrap(), kind);
        assert_eq!(
            ask("nowhere.test.", RecordType::MX).0,
            ResponseCode::NXDomain
        );
        assert_eq!(ask("hotmail.test.", RecordType::MX).1.len(), 1);
        assert_eq!(
            ask("mx.hotmail.test.", RecordType::AAAA),
            (ResponseCode::NoError, Vec::new())
        );
    }
}
