internal import Commands
internal import Glibc

exit(Gantry.main(CommandLine.argc, CommandLine.unsafeArgv))
