import Store
import Supervisor
import Testing

@Suite struct StopTests {
    @Test func theSignalThenTheKill() {
        var driver = CoreDriver(.always)
        driver.launch()
        let actions = driver.handle(.stop(client: 7, .init(signal: 2, grace: 10_000)))
        // What it is for is on disk before it is done.
        #expect(actions == [.writeStatus, .signal(2), .arm(.grace, after: 10 * seconds)])
        #expect(driver.core.status.stoppedByUser)
        #expect(driver.handle(.timer(.grace), after: 10 * seconds) == [.kill])
        let last = driver.exit(137)
        #expect(last.contains(.answer(client: 7, .ended(driver.core.status.end))))
        #expect(last.last == .finish)
        #expect(driver.core.status.phase == .stopped)
    }

    @Test func theStatusIsWrittenBeforeTheAnswer() throws {
        var driver = CoreDriver(.no)
        driver.launch()
        driver.handle(.stop(client: 7, .init(grace: 10_000)))
        driver.handle(.wait(client: 8))
        let actions = driver.exit(0)
        let written = try #require(actions.firstIndex(of: .writeStatus))
        for client: UInt32 in [7, 8] {
            let told = try #require(
                actions.firstIndex(of: .answer(client: client, .ended(driver.core.status.end))))
            #expect(written < told)
        }
    }

    @Test func withoutGraceItIsKilled() {
        var driver = CoreDriver(.no)
        driver.launch()
        #expect(driver.handle(.stop(client: 7, .init(grace: 0))).contains(.kill))
    }

    @Test func graceForEver() {
        var driver = CoreDriver(.no)
        driver.launch()
        let actions = driver.handle(.stop(client: 7, .init(grace: -1)))
        #expect(actions == [.writeStatus, .signal(0)])
    }

    @Test func ofTwoTheEarlierDeadlineCounts() {
        var driver = CoreDriver(.no)
        driver.launch()
        driver.handle(.stop(client: 1, .init(grace: 10_000)))
        let later = driver.handle(.stop(client: 2, .init(signal: 3, grace: 60_000)))
        #expect(later == [.writeStatus, .signal(3)])
        let earlier = driver.handle(.stop(client: 3, .init(grace: 1_000)))
        #expect(earlier.contains(.arm(.grace, after: seconds)))
        let atOnce = driver.handle(.stop(client: 4, .init(grace: 0)))
        #expect(atOnce == [.writeStatus, .disarm(.grace), .kill])
        let last = driver.exit(137)
        for client: UInt32 in 1...4 {
            #expect(last.contains(.answer(client: client, .ended(driver.core.status.end))))
        }
    }

    @Test func inTheRestartPause() {
        var driver = CoreDriver(.always)
        driver.launch()
        driver.exit(9)
        let actions = driver.handle(.stop(client: 1, .init(grace: 10_000)))
        #expect(actions.contains(.answer(client: 1, .ended(driver.core.status.end))))
        #expect(actions.contains(.disarm(.backOff)))
        #expect(actions.last == .finish)
        #expect(driver.core.status.end?.exitCode == 9)
        #expect(driver.core.status.stoppedByUser)
    }

    @Test func winsOverARestartInFlight() {
        var driver = CoreDriver(.always)
        driver.launch()
        driver.exit(1)
        driver.handle(.timer(.backOff))
        let actions = driver.handle(.stop(client: 1, .init(grace: 10_000)))
        #expect(actions.contains(.endLauncher(force: false)))
        // It takes the start back.
        let last = driver.handle(.launcherEnded(code: 1, message: "interrupted"))
        #expect(!last.contains(.note("interrupted")))
        #expect(last.contains(.answer(client: 1, .ended(driver.core.status.end))))
        #expect(last.last == .finish)
        #expect(driver.core.status.end?.exitCode == 1)
    }

    @Test func whatComesUpAllTheSameIsStopped() {
        var driver = CoreDriver(.always)
        driver.launch()
        driver.exit(1)
        driver.handle(.timer(.backOff))
        driver.handle(.stop(client: 1, .init(signal: 2, grace: 10_000)))
        let up = driver.launch()
        #expect(up.contains(.signal(2)))
        #expect(driver.core.status.stoppedByUser)
        driver.handle(.launcherEnded(code: 0, message: ""))
        #expect(driver.exit(130).last == .finish)
    }

    @Test func aLauncherThatHangsIsKilled() {
        var driver = CoreDriver(.always)
        driver.launch()
        driver.exit(1)
        driver.handle(.timer(.backOff))
        driver.handle(.stop(client: 1, .init(grace: 1000)))
        #expect(driver.handle(.timer(.grace), after: seconds) == [.endLauncher(force: true)])
        // What it has left is killed at once.
        #expect(driver.launch().contains(.kill))
    }

    @Test func duringTheFirstStart() {
        var driver = CoreDriver(.always)
        #expect(driver.handle(.stop(client: 1, .init(signal: 15, grace: 500))).isEmpty)
        let up = driver.launch()
        #expect(up.contains(.signal(15)))
        #expect(up.contains(.arm(.grace, after: 500 * milliseconds)))
        #expect(driver.exit(143).last == .finish)
    }

    @Test func ofWhatHasEnded() {
        var driver = CoreDriver(.no, exitCommand: "sleep 1")
        driver.launch()
        driver.exit(4)
        let answer = driver.handle(.stop(client: 1, .init(grace: 1)))
        #expect(answer == [.answer(client: 1, .ended(driver.core.status.end))])
        #expect(driver.handle(.wait(client: 2)) == [.answer(client: 2, .ended(driver.core.status.end))])
        #expect(!driver.core.status.stoppedByUser)
    }

    @Test func theAskerMayGo() {
        var driver = CoreDriver(.always)
        driver.launch()
        driver.handle(.stop(client: 1, .init(grace: 10_000)))
        driver.handle(.clientGone(1))
        let last = driver.exit(0)
        #expect(last.last == .finish)
        #expect(!last.contains(.answer(client: 1, .ended(driver.core.status.end))))
    }

    @Test func sigtermStopsIt() {
        var driver = CoreDriver(.always)
        driver.launch()
        #expect(driver.handle(.terminate).contains(.arm(.grace, after: 10 * seconds)))
        #expect(!driver.core.status.stoppedByUser)
        #expect(driver.handle(.terminate).contains(.kill))
        #expect(driver.exit(137).last == .finish)
    }

    @Test func aLogThatCannotFollowStopsIt() {
        var driver = CoreDriver(.always)
        driver.launch()
        let actions = driver.handle(.logOverflow("log: full"))
        #expect(actions.contains(.signal(0)))
        #expect(actions.contains(.note("log: full")))
        #expect(driver.handle(.logOverflow("log: full")).isEmpty)
        #expect(driver.exit(143).last == .finish)
        #expect(driver.core.status.problem == "log: full")
    }

    @Test func aLogThatCannotFollowBeforeTheStartIsNoticed() {
        var driver = CoreDriver(.always)
        driver.handle(.logOverflow("log: full"))
        #expect(driver.launch().contains(.signal(0)))
        #expect(driver.exit(143).last == .finish)
        #expect(driver.core.status.problem == "log: full")
    }

    @Test func anEndIsToldAlthoughTheLogIsBlocked() {
        var driver = CoreDriver(.no)
        driver.launch()
        driver.handle(.wait(client: 1))
        let end = SupervisionStatus.End(exitCode: 5, signal: 0, time: 1)
        #expect(driver.handle(.exited(end)).contains(.arm(.drain, after: seconds)))
        let told = driver.handle(.timer(.drain), after: seconds)
        #expect(told == [.writeStatus, .tellEnd, .answer(client: 1, .ended(end))])
        #expect(driver.core.status.phase == .stopped)
        #expect(driver.handle(.stop(client: 2, .init(grace: 0))) == [.answer(client: 2, .ended(end))])
        #expect(driver.handle(.drained).last == .finish)
    }

    @Test func aBlockedLogHoldsUpTheNextRun() {
        var driver = CoreDriver(.always)
        driver.launch()
        driver.handle(.exited(nil))
        #expect(driver.handle(.timer(.drain), after: seconds).isEmpty)
        #expect(driver.handle(.drained).contains(.arm(.backOff, after: 100 * milliseconds)))
    }
}

@Suite struct RestartTests {
    @Test func ofARunningContainer() {
        var driver = CoreDriver(.no)
        driver.launch()
        let actions = driver.handle(.restart(client: 1, .init(grace: 1000)))
        #expect(actions.contains(.signal(0)))
        #expect(driver.exit(143).last == .launch)
        #expect(driver.core.status.phase == .restarting)
        #expect(driver.launchOwn().contains(.answer(client: 1, .done)))
        // It was no restart of the policy.
        #expect(driver.core.status.restartCount == 0)
        #expect(driver.core.status.run == 2)
        #expect(driver.exit(0).last == .finish)
    }

    @Test func inTheRestartPause() {
        var driver = CoreDriver(.always)
        driver.launch()
        driver.exit(1)
        let actions = driver.handle(.restart(client: 1, .init(grace: 1000)))
        #expect(actions == [.disarm(.backOff), .launch])
        #expect(driver.launchOwn().contains(.answer(client: 1, .done)))
    }

    @Test func whileItStarts() {
        var driver = CoreDriver(.always)
        driver.launch()
        driver.exit(1)
        driver.handle(.timer(.backOff))
        #expect(!driver.handle(.restart(client: 1, .init(grace: 1000))).contains(.launch))
        #expect(driver.launchOwn().contains(.answer(client: 1, .done)))
    }

    @Test func thatFails() {
        var driver = CoreDriver(.no)
        driver.launch()
        driver.handle(.restart(client: 1, .init(grace: 1000)))
        driver.exit(143)
        let actions = driver.handle(.launcherEnded(code: 1, message: "bundle: gone"))
        #expect(actions.contains(.answer(client: 1, .failed("bundle: gone"))))
        #expect(actions.last == .finish)
    }

    @Test func stopWins() {
        var driver = CoreDriver(.no)
        driver.launch()
        driver.handle(.restart(client: 1, .init(grace: 1000)))
        driver.handle(.stop(client: 2, .init(grace: 1000)))
        let actions = driver.exit(143)
        #expect(actions.contains(.answer(client: 1, .failed("somebody stopped the container"))))
        #expect(actions.contains(.answer(client: 2, .ended(driver.core.status.end))))
        #expect(actions.last == .finish)
    }

    @Test func afterAStopIsObeyed() {
        var driver = CoreDriver(.no)
        driver.launch()
        driver.handle(.stop(client: 1, .init(grace: 1000)))
        driver.handle(.restart(client: 2, .init(grace: 1000)))
        let actions = driver.exit(143)
        #expect(actions.contains(.answer(client: 1, .ended(driver.core.status.end))))
        #expect(actions.last == .launch)
        #expect(driver.launchOwn().contains(.answer(client: 2, .done)))
        #expect(!driver.core.status.stoppedByUser)
    }

    @Test func whileAStartIsTakenBack() {
        var driver = CoreDriver(.always)
        driver.launch()
        driver.exit(1)
        driver.handle(.timer(.backOff))
        driver.handle(.stop(client: 1, .init(grace: 1000)))
        driver.handle(.restart(client: 2, .init(grace: 1000)))
        let actions = driver.handle(.launcherEnded(code: 1, message: "interrupted"))
        #expect(!actions.contains(.note("interrupted")))
        #expect(actions.last == .launch)
        #expect(driver.launchOwn().contains(.answer(client: 2, .done)))
    }

    /// Who asks is hung up on, and starts it anew.
    @Test func whatHasJustEndedGivesNoAnswer() {
        var driver = CoreDriver(.no)
        driver.launch()
        driver.exit(0)
        #expect(driver.handle(.restart(client: 1, .init(grace: 1000))).isEmpty)
    }

    @Test func whileTheExitCommandRuns() {
        var driver = CoreDriver(.no, exitCommand: "sleep 1")
        driver.launch()
        driver.exit(0)
        driver.handle(.restart(client: 1, .init(grace: 1000)))
        #expect(driver.handle(.exitCommandEnded(problem: "")).last == .launch)
        #expect(driver.launchOwn().contains(.answer(client: 1, .done)))
        // And it is run again at the next end.
        #expect(driver.exit(0).contains(.runExitCommand))
    }
}

@Suite struct ReleaseTests {
    @Test func inThePause() {
        var driver = CoreDriver(.always)
        driver.launch()
        driver.exit(1)
        let actions = driver.handle(.release(client: 1))
        #expect(actions.contains(.answer(client: 1, .done)))
        #expect(actions.last == .finish)
    }

    @Test func whileItRuns() {
        var driver = CoreDriver(.always)
        driver.launch()
        #expect(driver.handle(.release(client: 1)) == [.answer(client: 1, .done)])
        // The asker kills it.
        #expect(driver.exit(137).last == .finish)
    }

    @Test func noLauncherIsLeftWhenItIsAnswered() {
        var driver = CoreDriver(.always)
        driver.launch()
        driver.exit(1)
        driver.handle(.timer(.backOff))
        #expect(driver.handle(.release(client: 1)) == [.endLauncher(force: false)])
        let last = driver.handle(.launcherEnded(code: 1, message: "interrupted"))
        #expect(last.contains(.answer(client: 1, .done)))
        #expect(last.contains(.finish))
    }

    @Test func nothingCountsOverIt() {
        var driver = CoreDriver(.always)
        driver.launch()
        driver.handle(.release(client: 1))
        let refused = driver.handle(.restart(client: 2, .init(grace: 1)))
        #expect(refused == [.answer(client: 2, .failed("the container is being deleted"))])
        driver.handle(.stop(client: 3, .init(grace: 0)))
        #expect(driver.core.halt == .released)
        #expect(driver.exit(137).last == .finish)
    }

    @Test func aBlockedLogIsNotWaitedFor() {
        var driver = CoreDriver(.no)
        driver.launch()
        driver.handle(.exited(nil))
        driver.handle(.timer(.drain), after: seconds)
        #expect(driver.handle(.release(client: 1)).last == .finish)
    }

    /// The next run waits for the log, and nothing says how long. Who stops the container does not.
    @Test(arguments: [CoreDriver.Core.Event.stop(client: 1, .init(grace: 10_000)), .terminate])
    func whileABlockedLogHoldsUpTheNextRun(_ event: CoreDriver.Core.Event) {
        var driver = CoreDriver(.always)
        driver.launch()
        driver.handle(.wait(client: 2))
        driver.handle(.exited(nil))
        driver.handle(.timer(.drain), after: seconds)
        #expect(driver.handle(event) == [.arm(.drain, after: seconds)])
        let told = driver.handle(.timer(.drain), after: seconds)
        #expect(told.contains(.tellEnd))
        #expect(told.contains(.answer(client: 2, .ended(nil))))
        #expect(driver.core.status.phase == .stopped)
        #expect(driver.handle(.drained).last == .finish)
    }

    @Test func aBlockedLogAndALauncherThatTakesItsTime() {
        var driver = CoreDriver(.no)
        driver.launch()
        driver.handle(.restart(client: 1, .init(grace: 0)))
        driver.exit(137)
        driver.launch()
        driver.handle(.wait(client: 2))
        let end = SupervisionStatus.End(exitCode: 5, signal: 0, time: 1)
        driver.handle(.exited(end))
        #expect(driver.handle(.timer(.drain), after: seconds).isEmpty)
        #expect(driver.handle(.launcherEnded(code: 0, message: "")).last == .arm(.drain, after: seconds))
        let told = driver.handle(.timer(.drain), after: seconds)
        #expect(told.contains(.answer(client: 2, .ended(end))))
    }

    /// Of a stop and a restart the later one counts, also when the container has ended.
    @Test func winsOverARestartBehindTheExitCommand() {
        var driver = CoreDriver(.no, exitCommand: "sleep 1")
        driver.launch()
        driver.exit(4)
        driver.handle(.restart(client: 1, .init(grace: 0)))
        let stopped = driver.handle(.stop(client: 2, .init(grace: 0)))
        #expect(stopped.contains(.answer(client: 2, .ended(driver.core.status.end))))
        #expect(stopped.contains(.answer(client: 1, .failed("somebody stopped the container"))))
        #expect(driver.handle(.exitCommandEnded(problem: "")) == [.finish])
    }

    @Test func winsOverARestartBehindABlockedLog() {
        var driver = CoreDriver(.no)
        driver.launch()
        driver.handle(.exited(nil))
        driver.handle(.timer(.drain), after: seconds)
        driver.handle(.restart(client: 1, .init(grace: 0)))
        let stopped = driver.handle(.stop(client: 2, .init(grace: 0)))
        #expect(stopped.contains(.answer(client: 1, .failed("somebody stopped the container"))))
        #expect(driver.handle(.drained).last == .finish)
        // One that is obeyed is no run that has ended any more.
        driver = CoreDriver(.no)
        driver.launch()
        driver.handle(.exited(nil))
        driver.handle(.timer(.drain), after: seconds)
        driver.handle(.restart(client: 1, .init(grace: 0)))
        #expect(driver.handle(.drained).last == .launch)
        #expect(driver.handle(.stop(client: 2, .init(grace: 10_000))).contains(.endLauncher(force: false)))
    }
}
