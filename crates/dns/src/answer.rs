//! Turns what hickory says into the contract's words.

use std::net::IpAddr;

use contracts::{MxAnswer, MxHost, ResolveError};
use hickory_resolver::lookup::Lookup;
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::RData;
use mail::Domain;
use policy::RecordKind;

/// Why a question has no records: none of that type, no such name, or not learnt.
pub(crate) enum Absence {
    /// The name exists, without records of the type.
    NoRecords,
    /// Final or transient failure.
    Failed(ResolveError),
}

/// Sorts a failure of hickory's into the three kinds.
pub(crate) fn absence(name: &Domain, error: &NetError) -> Absence {
    let name = name.to_string();
    let not_learnt = |failure: String| {
        Absence::Failed(ResolveError::NotLearnt {
            name: name.clone(),
            failure,
        })
    };
    let NetError::Dns(DnsError::NoRecordsFound(empty)) = error else {
        return not_learnt(error.to_string());
    };
    // RFC 2308 §2: NXDOMAIN denies the name, NOERROR without records denies the type only;
    // anything else (SERVFAIL, REFUSED) says nothing about the name.
    let code = empty.response_code;
    if code == ResponseCode::NXDomain {
        Absence::Failed(ResolveError::NoSuchDomain { name })
    } else if code == ResponseCode::NoError {
        Absence::NoRecords
    } else {
        not_learnt(code.to_string())
    }
}

/// The exchangers of an MX answer, by rising preference.
pub(crate) fn exchangers(domain: &Domain, lookup: &Lookup) -> Result<MxAnswer, ResolveError> {
    let mut hosts = Vec::new();
    let mut null = false;
    for record in lookup.answers() {
        let RData::MX(mx) = &record.data else {
            continue;
        };
        if mx.exchange.is_root() {
            null = true;
        } else if let Ok(host) = Domain::parse(&mx.exchange.to_ascii()) {
            hosts.push(MxHost {
                preference: mx.preference,
                host,
            });
        }
    }
    // RFC 7505 §3: a null MX stands alone; beside others it is an error and is passed over.
    if !hosts.is_empty() {
        hosts.sort_by_key(|host| host.preference);
        return Ok(MxAnswer::Hosts(hosts));
    }
    if null {
        return Ok(MxAnswer::Null);
    }
    let has_mx = lookup
        .answers()
        .iter()
        .any(|record| matches!(record.data, RData::MX(_)));
    if has_mx {
        let failure = "its MX records name no host".to_owned();
        return Err(ResolveError::NotLearnt {
            name: domain.to_string(),
            failure,
        });
    }
    Ok(MxAnswer::NoMx)
}

/// The values of one type in an answer, as a zone file writes them.
pub(crate) fn values(lookup: &Lookup, kind: RecordKind) -> Vec<String> {
    let value = |data: &RData| match (kind, data) {
        (RecordKind::Mx, RData::MX(mx)) => {
            Some(format!("{} {}", mx.preference, mx.exchange.to_ascii()))
        }
        (RecordKind::A, RData::A(address)) => Some(address.to_string()),
        (RecordKind::Aaaa, RData::AAAA(address)) => Some(address.to_string()),
        (RecordKind::Ptr, RData::PTR(name)) => Some(name.to_ascii()),
        (RecordKind::Txt, RData::TXT(text)) => {
            // RFC 7208 §3.3: the strings of one record are joined without a space.
            let pieces = text
                .txt_data
                .iter()
                .map(|piece| String::from_utf8_lossy(piece));
            Some(pieces.collect())
        }
        _ => None,
    };
    lookup
        .answers()
        .iter()
        .filter_map(|record| value(&record.data))
        .collect()
}

/// The addresses of an A or AAAA answer.
pub(crate) fn addresses(lookup: &Lookup) -> Vec<IpAddr> {
    lookup
        .answers()
        .iter()
        .filter_map(|record| {
            if let RData::A(address) = &record.data {
                Some(IpAddr::V4(address.0))
            } else if let RData::AAAA(address) = &record.data {
                Some(IpAddr::V6(address.0))
            } else {
                None
            }
        })
        .collect()
}
