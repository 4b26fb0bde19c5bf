import Foundation
import GPT2Kernels
import Measurement
import Record
import Reporting

enum Info: Command {
  static let description = CommandDescription(
    name: "info", summary: "shows the machine, its measured ceilings, and this build",
    examples: [
      ("all of it, in some seconds", "gpt2-bench info"),
      ("the ceilings of one thread and of four", "gpt2-bench info -t 1,4"),
    ],
    options: [.threadList.defaulting(to: "1, and all cores"), .resultFormat])

  static func run(_ arguments: Arguments, _ console: Console) throws -> ExitCode {
    let threads = try arguments.integers("-t", in: Threads.range) ?? Set([1, Threads.available]).sorted()
    let format = try arguments.choice("--format", of: ResultFormat.allCases)
    var machine = Machine.current()
    machine.blas =
      switch BLASLibrary.found {
      case .success(let library): library.description
      case .failure(let missing): missing.description
      }
    let build = try Build.current(Project())
    let forkJoin = threads.compactMap { ForkJoin.ofPool(threads: $0) }
    func report(_ ceilings: [Ceiling] = [], seconds: Double = 0) -> MachineReport {
      MachineReport(
        machine, build, buildFacts: build.rows, forkJoin: forkJoin, ceilings: ceilings,
        ceilingSeconds: seconds)
    }
    if format == nil { console.print(report().facts.map { [$0.name, $0.value] }, widths: [9]) }
    let probe = CeilingProbe(threads: threads)
    probe.products = Set(ProductPeak.Numbers.allCases)
    probe.measure()
    if let format {
      console.write(try report(probe.ceilings, seconds: probe.seconds).text(as: format))
    } else {
      console.print(
        "\n" + CeilingTable(probe.ceilings).text(width: console.isTerminal ? console.width : nil))
      console.print(String(format: "ceilings measured in %.1f s", probe.seconds))
    }
    return .done
  }
}
