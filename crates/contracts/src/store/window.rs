//! Which octets of prefix and body a read of a rendition is made of.
//!
//! Promises: pure arithmetic, the same for every store; never past the end, whatever is asked.

use std::ops::Range;

use super::Rendition;

/// What a read is made of: octets of the prefixes, then ranges of the body.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Window {
    /// Range within the prefixes, taken as one (the mailbox's own, then the rendition's).
    pub prefix: Range<usize>,
    /// Ranges of the body, ascending, none empty.
    pub body: Vec<Range<u64>>,
}

impl Rendition {
    /// Octets that are left of a body of `body_bytes` octets.
    pub fn kept_bytes(&self, body_bytes: u64) -> u64 {
        self.kept_ranges(body_bytes)
            .map(|range| range.end - range.start)
            .sum()
    }

    /// Octets of the whole rendition of a body of `body_bytes` octets.
    pub fn size_bytes(&self, body_bytes: u64) -> u64 {
        length(self.prefix.len()).saturating_add(self.kept_bytes(body_bytes))
    }

    /// What octets `offset` to `offset + max_bytes` are made of, where `own_prefix_bytes` octets
    /// of a mailbox's own stand before this rendition.
    pub fn window(
        &self,
        own_prefix_bytes: usize,
        body_bytes: u64,
        offset: u64,
        max_bytes: usize,
    ) -> Window {
        let prefix_bytes = own_prefix_bytes.saturating_add(self.prefix.len());
        let start = usize::try_from(offset).map_or(prefix_bytes, |at| at.min(prefix_bytes));
        let end = start.saturating_add(max_bytes).min(prefix_bytes);
        let mut skip = offset.saturating_sub(length(prefix_bytes));
        let mut left = length(max_bytes - (end - start));
        let mut body = Vec::new();
        for range in self.kept_ranges(body_bytes) {
            let from = range.start.saturating_add(skip).min(range.end);
            skip -= from - range.start;
            let to = from.saturating_add(left).min(range.end);
            left -= to - from;
            if from < to {
                body.push(from..to);
            }
        }
        Window {
            prefix: start..end,
            body,
        }
    }

    /// The ranges of the body that are not cut out.
    fn kept_ranges(&self, body_bytes: u64) -> impl Iterator<Item = Range<u64>> {
        let starts = std::iter::once(0).chain(self.cuts.iter().map(|cut| cut.end));
        let ends = self
            .cuts
            .iter()
            .map(|cut| cut.start)
            .chain(std::iter::once(body_bytes));
        starts.zip(ends).map(move |(start, end)| {
            let end = end.min(body_bytes);
            start.min(end)..end
        })
    }
}

fn length(bytes: usize) -> u64 {
    u64::try_from(bytes).unwrap_or(u64::MAX)
}

#[cfg(test)]
#[expect(clippy::cast_possible_truncation, reason = "numbers below 100")]
mod tests {
    use super::*;

    const BODY: &[u8] = b"0123456789abcdef";

    fn whole(rendition: &Rendition, own: &[u8]) -> Vec<u8> {
        let mut all = own.to_vec();
        all.extend_from_slice(&rendition.prefix);
        for (index, octet) in BODY.iter().enumerate() {
            let cut = |cut: &Range<u64>| cut.contains(&(index as u64));
            if !rendition.cuts.iter().any(cut) {
                all.push(*octet);
            }
        }
        all
    }

    #[test]
    fn every_offset_and_length_reads_the_same_octets() {
        let cases: [&[(u64, u64)]; 5] = [
            &[],
            &[(0, 3)],
            &[(3, 5), (9, 10)],
            &[(0, 1), (15, 16)],
            &[(0, 16)],
        ];
        for cuts in cases {
            let cuts = cuts.iter().map(|(start, end)| *start..*end).collect();
            let rendition = Rendition {
                prefix: b"PRE".to_vec(),
                cuts,
            };
            let own = b"own";
            let all = whole(&rendition, own);
            assert_eq!(rendition.size_bytes(16) as usize + own.len(), all.len());
            for offset in 0..25 {
                for max in 0..25 {
                    let window = rendition.window(own.len(), 16, offset as u64, max);
                    let prefix = [own.as_slice(), &rendition.prefix].concat();
                    let mut read = prefix[window.prefix.clone()].to_vec();
                    for range in &window.body {
                        read.extend_from_slice(&BODY[range.start as usize..range.end as usize]);
                    }
                    let from = offset.min(all.len());
                    let to = (offset + max).min(all.len()).max(from);
                    assert_eq!(read, all[from..to], "offset {offset}, max {max}");
                }
            }
        }
    }

    #[test]
    fn cuts_beyond_the_body_do_no_harm() {
        let rendition = Rendition {
            prefix: Vec::new(),
            cuts: vec![10..90, 95..99],
        };
        assert_eq!(rendition.size_bytes(16), 10);
        assert_eq!(rendition.window(0, 16, 8, 100).body, vec![8..10]);
    }
}
