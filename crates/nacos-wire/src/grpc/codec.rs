//! The codec of the two services.

use super::Payload;
use tonic::codec::{BufferSettings, Codec};
use tonic_prost::{ProstCodec, ProstDecoder, ProstEncoder};

/// Protobuf with small first buffers: tonic's default of 8 KiB for each direction of each call would be half of what
/// an idle connection may cost, and most messages are smaller.
#[derive(Clone, Copy, Debug, Default)]
pub struct PayloadCodec;

fn buffers() -> BufferSettings {
    BufferSettings::new(1024, 32 * 1024)
}

impl Codec for PayloadCodec {
    type Encode = Payload;
    type Decode = Payload;
    type Encoder = ProstEncoder<Payload>;
    type Decoder = ProstDecoder<Payload>;

    fn encoder(&mut self) -> Self::Encoder {
        ProstCodec::<Payload, Payload>::raw_encoder(buffers())
    }

    fn decoder(&mut self) -> Self::Decoder {
        ProstCodec::<Payload, Payload>::raw_decoder(buffers())
    }
}
