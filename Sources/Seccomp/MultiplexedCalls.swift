/// The calls of i386 that exist twice: through socketcall(2) or ipc(2), whose first argument says which one
/// is meant (linux/net.h, linux/ipc.h), and, since Linux 4.3 and 5.1, with a number of their own.
///
/// libseccomp resolves their names to -100 and -200 minus the first argument. In the old form the real
/// arguments of a socket call lie in memory, where no filter can read them. As libseccomp does, a condition
/// on argument 0 is dropped for the old form and the others are kept, though they see other registers; a
/// profile that cares must name `socketcall` and `ipc` themselves.
enum MultiplexedCalls {
    static let socketcall: UInt32 = 102
    static let ipc: UInt32 = 117

    struct Call {
        /// Number of socketcall or ipc.
        let multiplexer: UInt32
        /// Its first argument.
        let selector: UInt32
        /// The newer number, or `nil`.
        let direct: UInt32?
    }

    /// The call behind a number below zero that libseccomp gave for i386, or `nil` when it has none there.
    static func call(_ pseudoNumber: Int32) -> Call? {
        switch pseudoNumber {
        case -120 ... -101:
            let selector = UInt32(-100 - pseudoNumber)
            return Call(
                multiplexer: socketcall, selector: selector, direct: direct(socketNumbers, Int(selector) - 1))
        case -204 ... -201, -214 ... -211, -224 ... -221:
            let selector = UInt32(-200 - pseudoNumber)
            return Call(multiplexer: ipc, selector: selector, direct: direct(ipcNumbers, Int(selector) - 1))
        default:
            return nil
        }
    }

    private static func direct(_ table: [UInt32], _ index: Int) -> UInt32? {
        table[index] == 0 ? nil : table[index]
    }

    // arch/x86/entry/syscalls/syscall_32.tbl, in the order of the selectors; 0: none.
    private static let socketNumbers: [UInt32] = [
        359,  // 1 socket
        361,  // 2 bind
        362,  // 3 connect
        363,  // 4 listen
        0,  // 5 accept
        367,  // 6 getsockname
        368,  // 7 getpeername
        360,  // 8 socketpair
        0,  // 9 send
        0,  // 10 recv
        369,  // 11 sendto
        371,  // 12 recvfrom
        373,  // 13 shutdown
        366,  // 14 setsockopt
        365,  // 15 getsockopt
        370,  // 16 sendmsg
        372,  // 17 recvmsg
        364,  // 18 accept4
        337,  // 19 recvmmsg
        345,  // 20 sendmmsg
    ]

    private static let ipcNumbers: [UInt32] = [
        0,  // 1 semop
        393,  // 2 semget
        394,  // 3 semctl
        0,  // 4 semtimedop
        0, 0, 0, 0, 0, 0,
        400,  // 11 msgsnd
        401,  // 12 msgrcv
        399,  // 13 msgget
        402,  // 14 msgctl
        0, 0, 0, 0, 0, 0,
        397,  // 21 shmat
        398,  // 22 shmdt
        395,  // 23 shmget
        396,  // 24 shmctl
    ]
}
