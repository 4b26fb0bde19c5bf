// Reads what scripts/fuzz.py puts before it, again and again in one process: a line of standard input names a reader and
// its files, a line of standard output says whether it took them. A trap ends the process; the script knows which input
// it was.

import Foundation

while let line = readLine() {
  let words = line.split(separator: "\t").map(String.init)
  var answer = "taken"
  do { try FuzzedReader.read(words) } catch {
    answer = "refused: \(String("\(error)".prefix(200)).debugDescription)"
  }
  FileHandle.standardOutput.write(Data((answer + "\n").utf8))
}
