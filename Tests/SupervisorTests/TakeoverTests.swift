import Store
import Supervisor
import Testing

@Suite struct TakeoverTests {
    private static let end = SupervisionStatus.End(exitCode: 3, signal: 0, time: 5)

    @Test func beforeTheFirstRun() {
        var driver = CoreDriver(.always)
        #expect(driver.replace(driver.report).isEmpty)
        #expect(driver.core.state == .starting(isOwn: false))
        driver.launch()
        #expect(driver.core.status.run == 1)
    }

    @Test func ofARunningContainer() {
        var driver = CoreDriver(.always)
        driver.launch()
        #expect(driver.replace(driver.report).isEmpty)
        #expect(driver.core.state == .running)
        #expect(driver.exit(0).contains(.arm(.backOff, after: 100 * milliseconds)))
    }

    @Test func afterItHasEnded() {
        var driver = CoreDriver(.no)
        driver.launch()
        var report = driver.report
        report.lives = false
        report.end = TakeoverTests.end
        _ = driver.replace(report)
        #expect(driver.core.state == .draining)
        #expect(driver.handle(.drained).last == .finish)
        #expect(driver.core.status.end == TakeoverTests.end)
    }

    @Test func ofARunThatItsStatusDoesNotKnow() {
        var driver = CoreDriver(.always)
        driver.launch()
        driver.exit(1)
        driver.handle(.timer(.backOff))
        // The launcher was quicker than the kill.
        driver.run += 1
        let report = KeeperReport(run: driver.run, lives: true, pid: 55, started: 9, end: nil)
        let actions = driver.replace(report)
        #expect(actions.contains(.writeStatus))
        #expect(driver.core.status.run == 2)
        #expect(driver.core.status.pid == 55)
        #expect(driver.core.status.restartCount == 1)
    }

    @Test func ofAFirstRunThatHasEnded() {
        var driver = CoreDriver(.no)
        driver.run = 1
        let report = KeeperReport(run: 1, lives: false, pid: 55, started: 1, end: TakeoverTests.end)
        _ = driver.replace(report)
        #expect(driver.core.status.run == 1)
        #expect(driver.handle(.drained).last == .finish)
        #expect(driver.core.status.end == TakeoverTests.end)
    }

    @Test func inTheRestartPause() {
        var driver = CoreDriver(.always)
        driver.launch()
        driver.exit(1)
        driver.now.monotonic += 40 * milliseconds
        #expect(driver.replace(driver.report) == [.arm(.backOff, after: 60 * milliseconds)])
        driver.now.monotonic += 100 * milliseconds
        #expect(driver.replace(driver.report) == [.launch])
        driver.launchOwn()
        #expect(driver.core.status.restartCount == 1)
    }

    @Test func whileItIsLaunched() {
        var driver = CoreDriver(.always)
        driver.launch()
        driver.exit(1)
        driver.handle(.timer(.backOff))
        #expect(driver.replace(driver.report) == [.launch])
    }

    @Test func whileItIsStopped() {
        var driver = CoreDriver(.always)
        driver.launch()
        driver.handle(.stop(client: 1, .init(grace: 1000)))
        driver.now.monotonic += 300 * milliseconds
        let actions = driver.replace(driver.report)
        #expect(actions == [.signal(0), .arm(.grace, after: 700 * milliseconds)])
        driver.now.monotonic += seconds
        #expect(driver.replace(driver.report) == [.kill])
        #expect(driver.exit(137).last == .finish)
    }

    @Test func whileItIsRestarted() {
        var driver = CoreDriver(.no)
        driver.launch()
        driver.handle(.restart(client: 1, .init(grace: 1000)))
        #expect(driver.replace(driver.report).contains(.signal(0)))
        #expect(driver.exit(143).last == .launch)
        #expect(driver.replace(driver.report) == [.launch])
    }

    /// Somebody sets the clock between: what is left of a grace or a pause is as long as ever.
    @Test(arguments: [3600, -7200] as [Int64])
    func overASteppedClock(step: Int64) {
        var driver = CoreDriver(.always)
        driver.launch()
        driver.exit(1)
        driver.now.real += step * seconds
        driver.now.monotonic += 40 * milliseconds
        #expect(driver.replace(driver.report) == [.arm(.backOff, after: 60 * milliseconds)])
        driver.handle(.timer(.backOff))
        driver.launchOwn()
        driver.handle(.stop(client: 1, .init(signal: 2, grace: 10_000)))
        driver.now.real -= step * seconds
        driver.now.monotonic += 4 * seconds
        #expect(driver.replace(driver.report).last == .arm(.grace, after: 6 * seconds))
        #expect(driver.handle(.timer(.grace), after: 6 * seconds) == [.kill])
    }

    @Test func stopHoldsOverTheKill() {
        var driver = CoreDriver(.always)
        driver.launch()
        driver.exit(1)
        driver.handle(.timer(.backOff))
        driver.handle(.stop(client: 1, .init(grace: 1000)))
        #expect(driver.replace(driver.report).last == .finish)
        #expect(driver.core.status.phase == .stopped)
    }

    @Test func whileTheExitCommandRuns() {
        var driver = CoreDriver(.no, exitCommand: "sleep 9")
        driver.launch()
        driver.exit(0)
        _ = driver.replace(driver.report, exitCommand: "sleep 9")
        #expect(driver.handle(.drained).contains(.runExitCommand))
        driver.handle(.exitCommandEnded(problem: ""))
        // It is not run a second time once it has ended.
        _ = driver.replace(driver.report, exitCommand: "sleep 9")
        let last = driver.handle(.drained)
        #expect(!last.contains(.runExitCommand))
        #expect(last.last == .finish)
    }

    @Test func attemptsAreCountedOverIt() {
        var driver = CoreDriver(.onFailure(2))
        driver.launch()
        for _ in 0..<2 {
            driver.exit(1)
            _ = driver.replace(driver.report)
            driver.handle(.timer(.backOff))
            _ = driver.replace(driver.report)
            driver.launchOwn()
        }
        #expect(driver.exit(1).last == .finish)
        #expect(driver.core.status.restartCount == 2)
    }

    @Test func runsAreCountedOverKeepers() {
        var status = SupervisionStatus()
        status.run = 4
        status.phase = .stopped
        status.end = TakeoverTests.end
        var core = SupervisorCore(CoreDriver.settings(.no), status: status, memory: CoreMemory())
        let now = SupervisorCore.Moment(monotonic: 1, real: 1)
        _ = core.takeOver(KeeperReport(run: 0, lives: false, pid: 0, started: 0, end: nil), at: now)
        _ = core.handle(.launched(run: 1, pid: 9, started: 1), at: now)
        #expect(core.status.run == 5)
        #expect(core.status.restartCount == 0)
    }

    @Test func aLostKeeper() {
        var driver = CoreDriver(.always)
        driver.launch()
        let actions = driver.handle(.keeperLost)
        #expect(actions.contains(.writeStatus))
        #expect(driver.core.status.problem.contains("keeper"))
        driver.handle(.exited(nil))
        let last = driver.handle(.drained)
        #expect(last.last == .finish)
        #expect(driver.core.status.problem.contains("not run again"))
        #expect(driver.core.status.end == nil)
    }

    @Test func aKeeperThatIsLostBeforeTheStart() {
        var driver = CoreDriver(.always)
        #expect(driver.handle(.keeperLost) == [.finish])
    }
}

@Suite struct ExecTests {
    @Test func endsAreKept() {
        var driver = CoreDriver(.no)
        driver.launch()
        driver.handle(.waitForExec(client: 1, pid: 77, lives: true))
        let end = SupervisionStatus.End(exitCode: 6, signal: 0, time: 3)
        let actions = driver.handle(.execEnded(.init(pid: 77, started: 1, end: end)))
        #expect(actions == [.writeStatus, .answer(client: 1, .ended(end))])
        let later = driver.handle(.waitForExec(client: 2, pid: 77, lives: false))
        #expect(later == [.answer(client: 2, .ended(end))])
        guard case .answer(3, .failed) = driver.handle(.waitForExec(client: 3, pid: 78, lives: false))[0]
        else {
            Issue.record("an unknown exec must be told")
            return
        }
    }

    @Test func onlySoManyAreKept() {
        var driver = CoreDriver(.no)
        driver.launch()
        for pid: Int32 in 1...100 {
            driver.handle(.execEnded(.init(pid: pid, started: 1, end: nil)))
        }
        #expect(driver.core.status.execs.count == SupervisionStatus.mostExecs)
        #expect(driver.core.status.execs.last?.pid == 100)
    }

    @Test func whoWaitsIsToldWhenTheContainerEnds() {
        var driver = CoreDriver(.no)
        driver.launch()
        driver.handle(.waitForExec(client: 1, pid: 77, lives: true))
        #expect(driver.exit(0).contains(.answer(client: 1, .failed("the container has ended"))))
    }
}
