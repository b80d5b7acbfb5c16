//! Messages come out as they went in: large ones, long lines, eight bits, dots.

use anyhow::{Context, Result, ensure};
use testkit::net::Place;

use crate::trial::{Trial, play};

/// Makes a message by name, sends it by smtplib, collects it by poplib, and compares the hashes of
/// what stands between the token and the end.
const THERE_AND_BACK: &str = "\
import hashlib, poplib, random, smtplib, sys
host, user, password, name = sys.argv[1:]
poplib._MAXLINE = 10_000_000
head = b'From: bob@office.test\\r\\nTo: bob@office.test\\r\\nSubject: x\\r\\nX-Token: ' + name.encode()
def body():
    if name == 'large':
        line = random.randbytes(38).hex().encode() + b'\\r\\n'
        return line * (20_000_000 // len(line))
    if name == 'long-lines':
        return b'x' * 5000 + b'\\r\\n.' + b'y' * 4999 + b'\\r\\n' + b'z' * 200_000 + b'\\r\\n'
    if name == 'eight-bits':
        return bytes(b for b in range(1, 256) if b not in b'\\r\\n') * 3 + b'\\r\\n'
    return b'.\\r\\n..\\r\\n...\\r\\n.x\\r\\n\\r\\n. \\r\\n \\r\\n\\r\\n'
text = head + b'\\r\\n\\r\\n' + body()
server = smtplib.SMTP(host, 25, timeout=120)
server.ehlo()
server.sendmail('bob@office.test', ['bob@office.test'], text, ['BODY=8BITMIME'])
server.quit()
box = poplib.POP3(host, 110, timeout=120)
box.user(user)
box.pass_(password)
last = box.stat()[0]
lines = box.retr(last)[1]
back = b'\\r\\n'.join(lines) + b'\\r\\n'
size = int(box.list(last).split()[2])
box.quit()
assert len(back) == size, (len(back), size)
at = back.index(b'\\r\\n\\r\\n') + 4
assert b'X-Token: ' + name.encode() in back[:at]
sent = text[text.index(b'\\r\\n\\r\\n') + 4:]
hashes = [hashlib.sha256(part).hexdigest() for part in (sent, back[at:])]
assert hashes[0] == hashes[1], (len(sent), len(back) - at, hashes)
print('the same', len(sent))
";

fn there_and_back(trial: &Trial<'_>, name: &str) -> Result<()> {
    let bob = trial.stage.bob();
    let host = trial.inside(25).ip().to_string();
    let words = [&host, bob.name, bob.password, name];
    let outcome = trial.desk()?.python(THERE_AND_BACK, &words, b"")?;
    let outcome = outcome.succeeded().with_context(|| name.to_owned())?;
    ensure!(outcome.output.starts_with("the same"), "{}", outcome.output);
    Ok(())
}

#[test]
fn contents_come_back_octet_for_octet() -> Result<()> {
    play(Place::TwoCards, |trial| {
        for name in ["dots", "eight-bits", "long-lines", "large"] {
            there_and_back(trial, name)?;
        }
        Ok(())
    })
}
