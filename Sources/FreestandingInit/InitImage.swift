/// The freestanding init that the EmbedInit plugin compiled from Init/.
public enum InitImage {
    /// Size of the ELF image in bytes.
    public static var size: Int { initImageSize }

    /// The ELF image. The literal holds it as UTF-8, so bytes from 0x80 stand as two: 0xC2 or 0xC3, and a
    /// continuation byte.
    public static func bytes() -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: initImageSize) { buffer, count in
            initImageLiteral.withUTF8Buffer { literal in
                var from = 0
                var to = 0
                while from < literal.count {
                    let byte = literal[from]
                    if byte < 0x80 {
                        buffer[to] = byte
                        from += 1
                    } else {
                        buffer[to] = (byte << 6) | (literal[from + 1] & 0x3f)
                        from += 2
                    }
                    to += 1
                }
                count = to
            }
        }
    }
}
