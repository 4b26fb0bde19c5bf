import Foundation
import Testing

@testable import Record
@testable import Reporting

struct ForkJoinReportTests {
  private var record: Record {
    var record = Fixture.small()
    record.machine.forkJoin = ForkJoin(threads: 2, hotMicroseconds: 0.9126, wokenMicroseconds: 12.34)
    return record
  }

  @Test func reportSaysWhatForkingCosts() {
    #expect(
      MarkdownReport.machine(record).contains("| Fork and join | 2 threads: 0.913 µs hot, 12.3 µs woken"))
    #expect(!MarkdownReport.machine(Fixture.small()).contains("Fork and join"))
  }

  @Test func recordKeepsIt() throws {
    let data = try JSONEncoder().encode(record)
    #expect(try JSONDecoder().decode(Record.self, from: data) == record)
  }
}
