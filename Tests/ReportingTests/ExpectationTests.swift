import Synchronization
import TestSupport
import Testing

/// What the tests ask with can fail, and says where and why.
struct ExpectationTests {
  private func problems(_ body: () -> Void) -> [String] {
    let found = Mutex<[String]>([])
    withKnownIssue(isIntermittent: true) {
      body()
    } matching: { issue in
      let comments = issue.comments.map(\.rawValue).joined()
      let file = issue.sourceLocation?.fileName ?? "nowhere"
      found.withLock { $0.append("\(file): \(comments)") }
      return true
    }
    return found.withLock { $0 }
  }

  @Test func whatDiffersIsShown() {
    #expect(problems { expectEqual(2 + 2, 4) } == [])
    #expect(
      problems { expectEqual(2 + 2, 5, "sums") } == ["ExpectationTests.swift: found 4, expected 5\nsums"])
    #expect(problems { expectEqual("a", "b") } == [#"ExpectationTests.swift: found "a", expected "b""#])
  }

  @Test func ofLongTextsTheFirstLineThatDiffersIsShown() {
    #expect(
      problems { expectEqual("a\nb\nc\nd\ne", "a\nb\nx\nd\ne") } == [
        #"ExpectationTests.swift: line 3: found "c", expected "x""#
      ])
    #expect(problems { expectEqual("a\nb\nc\nd\ne", "a\nb\nc\nd\ne") } == [])
  }

  @Test func aValueIsNotNone() {
    #expect(problems { expectNil(Int?.none) } == [])
    #expect(problems { expectNil(Int?(3)) } == ["ExpectationTests.swift: found 3, expected nil"])
  }

  @Test func eachPartIsLookedFor() {
    #expect(problems { expectContains("one two", "one", "two") } == [])
    #expect(
      problems { expectContains("one two", "three", "two", "four") } == [
        "ExpectationTests.swift: \"three\" is not in:\none two",
        "ExpectationTests.swift: \"four\" is not in:\none two",
      ])
  }
}
