//! A small authoritative DNS server over UDP.

use std::net::SocketAddr;
use std::sync::Arc;

use hickory_proto::op::{Message, MessageType};
use tokio::net::UdpSocket;

use crate::Zone;

/// Answers on `socket` from `zone` until dropped.
pub(crate) async fn serve(socket: UdpSocket, zone: Arc<Zone>) {
    let mut buffer = vec![0; 4096];
    loop {
        let Ok((length, peer)) = socket.recv_from(&mut buffer).await else {
            continue;
        };
        if let Some(reply) = buffer.get(..length).and_then(|query| reply(query, &zone)) {
            send(&socket, &reply, peer).await;
        }
    }
}

fn reply(query: &[u8], zone: &Zone) -> Option<Vec<u8>> {
    let query = Message::from_vec(query).ok()?;
    let question = query.queries.first()?.clone();
    let (code, records) = zone.answer(question.name(), question.query_type());
    let mut reply = Message::response(query.metadata.id, query.metadata.op_code);
    reply.metadata.message_type = MessageType::Response;
    reply.metadata.response_code = code;
    reply.metadata.authoritative = true;
    reply.metadata.recursion_desired = query.metadata.recursion_desired;
    reply.metadata.recursion_available = true;
    reply.add_query(question);
    reply.add_answers(records);
    reply.to_vec().ok()
}

/// A lost answer is asked for again by the client, as with any UDP.
async fn send(socket: &UdpSocket, reply: &[u8], peer: SocketAddr) {
    drop(socket.send_to(reply, peer).await);
}
