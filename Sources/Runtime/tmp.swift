internal import Diagnostics
internal import OCI
func describeStart(opcode: UInt16, errno: CInt, kind: UInt32, detail: [UInt8], spec: Spec) -> Failure { Failure(.system, "start \(opcode) \(errno)") }
