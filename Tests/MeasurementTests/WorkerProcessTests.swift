import Foundation
import TestSupport
import Testing

@testable import Measurement

private struct Number: Codable, Equatable {
  var value: Int
}

/// A child that is a shell script; `$line` is the request, and the id of the n-th request is n.
private func shell(_ script: String, environment: [String: String]? = nil) throws -> WorkerProcess {
  try WorkerProcess(
    name: "child", executable: "/bin/sh", arguments: ["-c", script], environment: environment)
}

private let echo = """
  n=0
  while read -r line; do
    n=$((n+1))
    case "$line" in *'"quit"'*) exit 0;; esac
    echo "{\\"id\\":$n,\\"ok\\":true,\\"result\\":{\\"value\\":$((n*10))}}"
  done
  """

private func ask(_ contestant: WorkerProcess, timeout: Duration = .seconds(5)) throws(WorkerError) -> Number {
  try contestant.request("run", Number(value: 1), timeout: timeout)
}

private func kind(_ body: () throws -> Void) -> WorkerError.Kind? {
  do {
    try body()
    return nil
  } catch {
    return (error as? WorkerError)?.kind
  }
}

/// No process of that id is there, not even a zombie of ours.
private func isGone(_ pid: Int32) -> Bool {
  kill(pid, 0) != 0 && errno == ESRCH
}

struct WorkerProcessTests {
  @Test func answersComeBackInOrder() throws {
    let contestant = try shell(echo)
    try expectEqual(ask(contestant), Number(value: 10))
    try expectEqual(ask(contestant), Number(value: 20))
    expectNil(contestant.failure)
    contestant.stop()
    #expect(isGone(contestant.processIdentifier))
    expectEqual(kind { _ = try ask(contestant) }, .stopped)
  }

  @Test func theRequestIsOneLineOfJSON() throws {
    struct Echo: Decodable {
      var id: Int
      var operation: String
      var payload: [String: String]
    }
    let contestant = try shell(
      "read -r line; printf '{\"id\":1,\"ok\":true,\"result\":%s}\\n' \"$line\"; read -r line")
    let request: Echo = try contestant.request(
      "load", ["path": "a \"b\"\n\u{2028}é"], timeout: .seconds(5))
    expectEqual(request.id, 1)
    expectEqual(request.operation, "load")
    expectEqual(request.payload, ["path": "a \"b\"\n\u{2028}é"])
  }

  @Test func aResultWithoutFieldsMayBeAbsent() throws {
    let contestant = try shell("read -r line; echo '{\"id\":1,\"ok\":true}'; read -r line")
    try expectEqual(contestant.request("load", timeout: .seconds(5)), Empty())
  }

  @Test func theEnvironmentIsTheOneGiven() throws {
    let contestant = try shell(
      "read -r l; echo \"{\\\"id\\\":1,\\\"ok\\\":true,\\\"result\\\":{\\\"value\\\":$FIGURE}}\"",
      environment: ["FIGURE": "42"])
    try expectEqual(ask(contestant), Number(value: 42))
  }

  @Test func aProgramThatIsNotThereCannotStart() {
    let missing = kind { _ = try WorkerProcess(name: "x", executable: "/nonexistent/engine") }
    expectEqual(missing, .couldNotStart(reason: "/nonexistent/engine: No such file or directory"))
  }

  @Test func anExitIsNamedWithItsCodeAndLastWords() throws {
    let contestant = try shell("read -r line; echo first >&2; echo 'out of cheese' >&2; exit 3")
    let error = #expect(throws: WorkerError.self) { try ask(contestant) }
    expectEqual(error?.kind, .died(.exited(code: 3), standardError: "first\nout of cheese\n"))
    expectEqual(error?.description, "child: run: exited with code 3 before it answered: out of cheese")
    #expect(isGone(contestant.processIdentifier))
    let again = #expect(throws: WorkerError.self) { try ask(contestant) }
    expectEqual(again, error)
  }

  @Test func anAnswerWrittenJustBeforeTheExitCounts() throws {
    let contestant = try shell(
      "read -r line; echo '{\"id\":1,\"ok\":true,\"result\":{\"value\":5}}'; exit 4")
    try expectEqual(ask(contestant), Number(value: 5))
    expectEqual(kind { _ = try ask(contestant) }, .died(.exited(code: 4), standardError: ""))
  }

  @Test func aSignalIsNamed() throws {
    let contestant = try shell("read -r line; kill -SEGV $$")
    let found = kind { _ = try ask(contestant) }
    expectEqual(found, .died(.signalled(name: "SIGSEGV"), standardError: ""))
  }

  @Test func aDeathIsSeenThoughAGrandchildHoldsThePipes() throws {
    let contestant = try shell("sleep 60 & read -r line; exit 7")
    let start = SystemClock().now()
    expectEqual(kind { _ = try ask(contestant) }, .died(.exited(code: 7), standardError: ""))
    #expect(SystemClock().now() - start < 3_000_000_000)
  }

  @Test func aChildThatDiedBeforeTheRequestIsNoBrokenPipe() throws {
    let contestant = try shell("exec <&-; exit 9")
    usleep(100_000)
    expectEqual(kind { _ = try ask(contestant) }, .died(.exited(code: 9), standardError: ""))
  }

  @Test func aHungChildIsKilledWithItsGroup() throws {
    let contestant = try shell("echo thinking >&2; read -r line; sleep 60")
    let time = Duration.milliseconds(150)
    let found = kind { _ = try ask(contestant, timeout: time) }
    expectEqual(found, .hung(after: time, standardError: "thinking\n"))
    #expect(isGone(contestant.processIdentifier))
    expectEqual(contestant.failure?.kind, found)
  }

  @Test func garbageIsQuoted() throws {
    let contestant = try shell("read -r line; echo 'Loading model...'; sleep 60")
    let error = #expect(throws: WorkerError.self) { try ask(contestant) }
    expectEqual(error?.kind, .malformedAnswer(line: "Loading model...", reason: "not JSON"))
    #expect(isGone(contestant.processIdentifier))
  }

  @Test(arguments: [
    ("{\"id\":8,\"ok\":true,\"result\":{\"value\":1}}", "id 8, expected 1"),
    ("{\"id\":1,\"ok\":true,\"result\":{}}", "no field result.value"),
    ("{\"id\":1,\"ok\":true,\"result\":{\"value\":\"x\"}}", "field result.value is not a Int"),
    ("{\"id\":1,\"ok\":true}", "ok is true, and there is no result"),
    ("{\"id\":1,\"ok\":false}", "ok is false, and there is no error"),
  ])
  func answersThatAreNoneSayWhy(line: String, reason: String) throws {
    let contestant = try shell("read -r request; echo '\(line)'; sleep 60")
    expectEqual(kind { _ = try ask(contestant) }, .malformedAnswer(line: line, reason: reason))
  }

  @Test func longGarbageIsCut() throws {
    let contestant = try shell("read -r line; head -c 5000 /dev/zero | tr '\\0' x; echo; sleep 60")
    guard case .malformedAnswer(let line, _) = kind({ _ = try ask(contestant) }) else {
      Issue.record("expected a malformed answer")
      return
    }
    expectEqual(line, String(repeating: "x", count: 200) + "…")
  }

  @Test func aRefusalLeavesTheChildAlive() throws {
    let contestant = try shell(
      """
      read -r a; printf '%s\\n' '{"id":1,"ok":false,"error":"no such\\nmodel"}'
      read -r a; echo '{"id":2,"ok":true,"result":{"value":2}}'; read -r a
      """)
    expectEqual(kind { _ = try ask(contestant) }, .refused(message: "no such model"))
    expectNil(contestant.failure)
    try expectEqual(ask(contestant), Number(value: 2))
  }

  @Test func aMegabyteOfErrorsFirstDoesNotBlock() throws {
    let contestant = try shell("head -c 1000000 /dev/zero | tr '\\0' e >&2; echo end >&2; \(echo)")
    try expectEqual(ask(contestant), Number(value: 10))
    let endsWithTheEnd = contestant.standardErrorTail.hasSuffix("eeeend\n")
    #expect(endsWithTheEnd)
    #expect(contestant.standardErrorTail.utf8.count <= 8192)
  }

  @Test func aLargeRequestAndALargeAnswerPass() throws {
    let contestant = try shell(
      "read -r line; printf '{\"id\":1,\"ok\":true,\"result\":%s}\\n' \"$line\"; read -r line")
    struct Received: Decodable { var payload: [Int] }
    let numbers = Array(0..<40_000)
    let received: Received = try contestant.request("run", numbers, timeout: .seconds(20))
    expectEqual(received.payload, numbers)
  }

  @Test func cancellationEndsTheWait() throws {
    let contestant = try shell("read -r line; sleep 60")
    let start = SystemClock().now()
    let found = kind {
      let _: Empty = try contestant.request(
        "run", timeout: .seconds(30), isCancelled: { SystemClock().now() - start > 50_000_000 })
    }
    expectEqual(found, .cancelled)
    #expect(SystemClock().now() - start < 2_000_000_000)
    #expect(isGone(contestant.processIdentifier))
  }

  @Test func aFigureThatJSONLacksIsNotSent() throws {
    let contestant = try shell(echo)
    let found = kind { let _: Number = try contestant.request("run", [Double.nan], timeout: .seconds(5)) }
    guard case .unwritableRequest = found else {
      Issue.record("expected an unwritable request, found \(String(describing: found))")
      return
    }
    expectNil(contestant.failure)
  }

  @Test func stopKillsWhatWillNotQuit() throws {
    let contestant = try shell("trap '' TERM HUP; while :; do sleep 1; done")
    contestant.stop(grace: .milliseconds(100))
    #expect(isGone(contestant.processIdentifier))
  }

  @Test func theProcessGoesWithTheObject() throws {
    var contestant: WorkerProcess? = try shell("sleep 60")
    let pid = try #require(contestant?.processIdentifier)
    #expect(!isGone(pid))
    contestant = nil
    #expect(isGone(pid))
  }

  @Test func theChildLeadsItsOwnGroupAndInheritsNoPipe() throws {
    let other = try shell("read -r line")
    let contestant = try shell("read -r line; sleep 60")
    expectEqual(getpgid(contestant.processIdentifier), contestant.processIdentifier)
    // Had the second child inherited the first one's pipes, the first would never see its input end.
    let start = SystemClock().now()
    other.stop(grace: .seconds(5))
    #expect(SystemClock().now() - start < 2_000_000_000)
  }
}
