import Foundation
import GPT2Kernels
import Measurement
import Record
import Reporting

enum Info: Command {
  static let description = CommandDescription(
    name: "info", summary: "shows the machine, its measured ceilings, and this build", options: [.threadList])

  static func run(_ arguments: Arguments, _ console: Console) throws -> ExitCode {
    let threads = try arguments.integers("-t", in: Threads.range) ?? Set([1, Threads.available]).sorted()
    let machine = Machine.current()
    let build = Build.current(try Project())
    var rows = [
      ("cpu", machine.cpu), ("flags", machine.flags.joined(separator: " ")),
      ("cores", "\(machine.logicalCores)"), ("caches", machine.caches.joined(separator: ", ")),
    ]
    if let bytes = machine.memoryBytes { rows.append(("memory", "\(bytes >> 20) MiB")) }
    if let governor = machine.governor { rows.append(("governor", governor)) }
    rows += [
      ("system", machine.system), ("version", build.version), ("compiler", build.compiler),
      ("build", "\(build.configuration), \(build.cpuFlag), vectors of \(build.vectorBits) bits"),
    ]
    switch BLASLibrary.found {
    case .success(let library): rows.append(("blas", library.description))
    case .failure(let missing): rows.append(("blas", missing.description))
    }
    if let commit = build.commit { rows.append(("commit", commit)) }
    rows += threads.compactMap(ForkJoin.ofPool).map { ("fork/join", $0.words) }
    alignedColumns(rows.map { [$0, $1] }, widths: [9]).forEach(console.print)
    let probe = CeilingProbe(threads: threads)
    probe.measure()
    console.print("\n" + CeilingTable(probe.ceilings).text)
    console.print(String(format: "ceilings measured in %.1f s", probe.seconds))
    return .done
  }
}
