//! From a local-part of one of our domains to users and mailboxes.
//!
//! Order: the address as listed, the address without its tag, postmaster and abuse, catch-all.
//! Promises: compares without regard to case; a listed address never falls through to a
//! catch-all. Does not: know passed domains. Standards: RFC 5321 §2.4, §4.5.1; RFC 2142 §4, §5.

use mail::{Address, LocalPart, MailHost, fold_local};

use crate::facts::Directory;
use crate::settings::{AddressEntry, DomainEntry, DomainKind, Settings};
use crate::{Because, UserName};

/// What the Addresses tab says of one address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// Mailboxes of these users.
    Users {
        /// The listed address, or the one asked for.
        address: Address,
        /// At least one, all enabled.
        users: Vec<UserName>,
        /// The setting, in words.
        via: String,
    },
    /// Listed, but nobody of it is here.
    NoUser {
        /// The listed address.
        address: Address,
        /// Whom it names.
        users: Vec<UserName>,
    },
    /// Not listed, and no rule for many matches.
    Nobody,
}

/// Whether two local-parts of ours are the same.
// RFC 5321 §2.4: a receiver may treat its own local-parts as case-insensitive.
pub(crate) fn same_local(one: &str, other: &str) -> bool {
    fold_local(one).eq(fold_local(other))
}

/// What may be the name in front of a tag, where tags are on: the longest first, since a name may
/// hold the separator itself (`jean-luc-shop`).
pub(crate) fn without_tag<'a>(
    settings: &Settings,
    local: &'a str,
) -> impl Iterator<Item = &'a str> + use<'a> {
    let separator = settings.addresses.plus_separator;
    let ends = separator.into_iter().flat_map(|separator| {
        let found = local.rmatch_indices(separator);
        found.map(|(at, _)| at).collect::<Vec<_>>()
    });
    ends.filter_map(|end| local.get(..end))
        .filter(|name| !name.is_empty())
}

/// The entry for an address of `domain`, its aliases included, by the name as it is written.
fn listed<'a>(
    settings: &'a Settings,
    domain: &DomainEntry,
    local: &str,
) -> Option<&'a AddressEntry> {
    settings.addresses.list.iter().find(|entry| {
        entry.address.domain() == Some(&domain.name)
            && same_local(entry.address.local.as_str(), local)
    })
}

/// Whose mailboxes `local` at `domain` reaches.
pub(crate) fn find(
    settings: &Settings,
    directory: &Directory,
    domain: &DomainEntry,
    local: &LocalPart,
) -> Found {
    let asked = address_at(domain, local);
    let entry = listed_or_tagged(settings, domain, local.as_str());
    let via = entry.map(|(entry, tagged)| {
        if tagged {
            format!("addresses.plus_separator and {}", entry.address)
        } else {
            "addresses.list".to_owned()
        }
    });
    let found = entry
        .zip(via)
        .map(|((entry, _), via)| of_entry(directory, entry, via));
    if let Some(found @ Found::Users { .. }) = found {
        return found;
    }
    // RFC 5321 §4.5.1: postmaster is reached, also where nobody of those it was given to is here.
    if is_role(settings, local.as_str())
        && let Some((users, via)) = keepers(settings, directory, domain)
    {
        return Found::Users {
            address: asked,
            users,
            via,
        };
    }
    if let Some(found) = found {
        return found;
    }
    // A split domain passes what is not listed; only where all mailboxes are here is there a
    // catch-all.
    let catch_all = settings.addresses.catch_all.iter();
    let mut catch_all =
        catch_all.filter(|c| domain.kind != DomainKind::Split && c.domain == domain.name);
    let Some(entry) = catch_all.next() else {
        return Found::Nobody;
    };
    let users = enabled(directory, &entry.users);
    if users.is_empty() {
        return Found::NoUser {
            address: asked,
            users: entry.users.clone(),
        };
    }
    Found::Users {
        address: asked,
        users,
        via: format!("addresses.catch_all for {}", domain.name),
    }
}

/// The entry for an address as it is written, else for what stands before its tag, and whether it
/// is the latter.
pub(crate) fn listed_or_tagged<'a>(
    settings: &'a Settings,
    domain: &DomainEntry,
    local: &str,
) -> Option<(&'a AddressEntry, bool)> {
    if let Some(entry) = listed(settings, domain, local) {
        return Some((entry, false));
    }
    without_tag(settings, local)
        .find_map(|name| listed(settings, domain, name))
        .map(|entry| (entry, true))
}

fn of_entry(directory: &Directory, entry: &AddressEntry, via: String) -> Found {
    let users = enabled(directory, &entry.users);
    let address = entry.address.clone();
    if users.is_empty() {
        let users = entry.users.clone();
        Found::NoUser { address, users }
    } else {
        Found::Users {
            address,
            users,
            via,
        }
    }
}

/// The users of the list that exist and are enabled, each once.
fn enabled(directory: &Directory, users: &[UserName]) -> Vec<UserName> {
    let mut kept: Vec<UserName> = Vec::with_capacity(users.len());
    for user in users {
        if directory.enabled.contains(user) && !kept.contains(user) {
            kept.push(user.clone());
        }
    }
    kept
}

/// Whether the name, or what stands before its tag, is one that every domain has.
// RFC 5321 §4.5.1: postmaster must be reachable; RFC 2142 §4: so should abuse.
pub(crate) fn is_role(settings: &Settings, local: &str) -> bool {
    let role = |name: &str| same_local(name, "postmaster") || same_local(name, "abuse");
    role(local) || without_tag(settings, local).any(role)
}

/// Who gets the mail of postmaster and abuse where no such address is listed; failing the people
/// that settings name, whoever is first on the address list and is here.
fn keepers(
    settings: &Settings,
    directory: &Directory,
    domain: &DomainEntry,
) -> Option<(Vec<UserName>, String)> {
    let named = enabled(directory, &settings.addresses.postmaster);
    if !named.is_empty() {
        return Some((named, "addresses.postmaster".to_owned()));
    }
    if domain.kind != DomainKind::Hosted {
        return None;
    }
    let list = || settings.addresses.list.iter();
    let of_domain = list().filter(|entry| entry.address.domain() == Some(&domain.name));
    let first = of_domain
        .chain(list())
        .flat_map(|entry| &entry.users)
        .find(|user| directory.enabled.contains(user))?;
    let via = "the first user of addresses.list, since addresses.postmaster names nobody here";
    Some((vec![first.clone()], via.to_owned()))
}

fn address_at(domain: &DomainEntry, local: &LocalPart) -> Address {
    Address::new(local.clone(), MailHost::Domain(domain.name.clone()))
}

/// The refusal of an address that nobody has, with the likeliest one that was meant.
pub(crate) fn unknown(settings: &Settings, domain: &DomainEntry, local: &LocalPart) -> Because {
    Because::AddressUnknown {
        address: address_at(domain, local),
        nearest: nearest(settings, domain, local),
    }
}

/// The listed address that differs least, if it differs little: a third of its letters at most.
fn nearest(settings: &Settings, domain: &DomainEntry, local: &LocalPart) -> Option<Address> {
    let base = without_tag(settings, local.as_str()).last();
    let asked: Vec<char> = fold_local(base.unwrap_or(local.as_str())).collect();
    let of_domain = settings
        .addresses
        .list
        .iter()
        .filter(|entry| entry.address.domain() == Some(&domain.name));
    of_domain
        .filter_map(|entry| {
            let listed: Vec<char> = fold_local(entry.address.local.as_str()).collect();
            let allowed = asked.len().max(listed.len()).div_ceil(3);
            if letters_apart(&asked, &listed) > allowed {
                return None;
            }
            let distance = edit_distance(&asked, &listed);
            (distance <= allowed).then_some((distance, &entry.address))
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, address)| address.clone())
}

/// A lower bound of the distance: letters that one has and the other lacks, wherever they stand.
///
/// Strangers who try names out make us look for the nearest of all addresses each time; nearly all
/// are too far by this alone.
fn letters_apart(one: &[char], other: &[char]) -> usize {
    // Letters that share a place only make the bound lower.
    let mut counts = [0_i32; 32];
    let mut count = |letters: &[char], by: i32| {
        for letter in letters {
            let place = usize::try_from(u32::from(*letter) & 31).unwrap_or(0);
            if let Some(count) = counts.get_mut(place) {
                *count += by;
            }
        }
    };
    count(one, 1);
    count(other, -1);
    let more: i32 = counts.iter().filter(|count| **count > 0).sum();
    let fewer: i32 = counts.iter().filter(|count| **count < 0).sum();
    usize::try_from(more.max(-fewer)).unwrap_or(0)
}

/// How many letters must be added, dropped, changed or swapped with their neighbour.
fn edit_distance(one: &[char], other: &[char]) -> usize {
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=other.len()).collect();
    let mut previous_letter = None;
    for (row, &letter) in one.iter().enumerate() {
        let mut current = vec![row + 1];
        for (column, &against) in other.iter().enumerate() {
            let cell =
                |row: &[usize], column: usize| row.get(column).copied().unwrap_or(usize::MAX - 1);
            let changed = cell(&last, column) + usize::from(letter != against);
            let mut cheapest = changed
                .min(cell(&last, column + 1) + 1)
                .min(cell(&current, column) + 1);
            let before = column.checked_sub(1).and_then(|c| other.get(c)).copied();
            if previous_letter == Some(against) && before == Some(letter) {
                cheapest = cheapest.min(cell(&before_last, column.saturating_sub(1)) + 1);
            }
            current.push(cheapest);
        }
        before_last = std::mem::replace(&mut last, current);
        previous_letter = Some(letter);
    }
    last.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn distance(one: &str, other: &str) -> usize {
        let chars = |text: &str| text.chars().collect::<Vec<_>>();
        edit_distance(&chars(one), &chars(other))
    }

    #[test]
    fn distance_counts_additions_losses_changes_and_swaps() {
        assert_eq!(distance("", ""), 0);
        assert_eq!(distance("bob", ""), 3);
        assert_eq!(distance("bob", "bbo"), 1);
        assert_eq!(distance("bob", "bobb"), 1);
        assert_eq!(distance("alice", "alcie"), 1);
        assert_eq!(distance("kitten", "sitting"), 3);
    }

    proptest::proptest! {
        #[test]
        fn letters_apart_are_never_more_than_the_distance(one in "[a-e\u{e9}]{0,8}", other in "[a-e\u{e9}]{0,8}") {
            let chars = |text: &str| text.chars().collect::<Vec<_>>();
            let bound = letters_apart(&chars(&one), &chars(&other));
            proptest::prop_assert!(bound <= distance(&one, &other));
        }
    }

    #[test]
    fn local_parts_compare_without_regard_to_case() {
        assert!(same_local("Bob", "bOB"));
        assert!(same_local("ÄRGER", "ärger"));
        assert!(same_local("ΟΔΟΣ", "οδος"));
        assert!(!same_local("bob", "bo"));
    }
}
