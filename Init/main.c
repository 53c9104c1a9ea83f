int init_main(void *stack);
__attribute__((used)) int init_main(void *stack) {
    (void)stack;
    for (;;) syscall6(231, 0, 0, 0, 0, 0, 0);
}
