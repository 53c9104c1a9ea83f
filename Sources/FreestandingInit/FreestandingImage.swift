/// The freestanding programs that the EmbedInit plugin compiled from Init/.
public enum FreestandingImage {
    /// Becomes the container's process (spec/plan.md).
    public static func initProgram() -> [UInt8] { bytes(of: initImageLiteral, count: initImageSize) }

    /// Keeps a supervised container (spec/supervisor.md).
    public static func keeper() -> [UInt8] { bytes(of: keeperImageLiteral, count: keeperImageSize) }

    /// Becomes the first process of a container that is made with `--init` (spec/plan.md).
    public static func reaper() -> [UInt8] { bytes(of: reaperImageLiteral, count: reaperImageSize) }

    /// The ELF image. The literal holds it as UTF-8, so bytes from 0x80 stand as two: 0xC2 or 0xC3, and a
    /// continuation byte.
    private static func bytes(of image: StaticString, count size: Int) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
            image.withUTF8Buffer { literal in
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
