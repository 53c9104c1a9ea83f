internal import CLinux
internal import Commands

clinux_exit(Gantry.main(clinux_argument_count(), clinux_arguments()))
