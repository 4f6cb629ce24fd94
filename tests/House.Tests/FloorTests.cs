using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace Convoy.House.Tests;

// The floors of ARCHITECTURE.md: a project refers only to floors below its own, and only to the rooms named here.
public class FloorTests
{
    private static readonly Dictionary<string, string[]> May = new(StringComparer.Ordinal)
    {
        ["Shared"] = [],
        ["Kernels"] = ["Shared"],
        ["Actors"] = ["Shared"],
        ["Autodiff"] = ["Shared", "Kernels"],
        ["Coordinator"] = ["Shared", "Actors", "Autodiff"],
        ["Worker"] = ["Shared", "Actors", "Autodiff", "Kernels"],
        ["Cli"] = ["Shared", "Actors", "Autodiff", "Kernels", "Coordinator", "Worker"],
    };

    [Fact]
    public void SrcHoldsExactlyTheSevenProjects()
    {
        var found = Directory.GetDirectories(Repository.PathOf("src")).Select(d => Path.GetFileName(d))
            .Order(StringComparer.Ordinal);
        Assert.Equal(May.Keys.Order(StringComparer.Ordinal), found);
    }

    [Fact]
    public void ReferencesGoDown()
    {
        foreach (var (project, allowed) in May)
        {
            var file = XDocument.Load(Repository.PathOf($"src/{project}/{project}.csproj"));
            foreach (var reference in file.Descendants("ProjectReference"))
            {
                var target = Path.GetFileNameWithoutExtension(reference.Attribute("Include")!.Value.Replace('\\', '/'));
                Assert.True(allowed.Contains(target), $"src/{project} must not refer to src/{target}");
            }
        }
    }

    [Fact]
    public void CoordinatorNeverUsesKernels()
    {
        foreach (var file in Sources("src/Coordinator"))
            Assert.False(File.ReadAllText(file).Contains("using Convoy.Kernels", StringComparison.Ordinal),
                $"{file} uses kernels");
    }

    // Collectives and codecs are pure: they know no tensors and no actors; the actor that drives them lives in
    // Training.
    [Fact]
    public void CollectivesKnowNoActors()
    {
        foreach (var file in Sources("src/Worker/Collectives"))
            Assert.False(File.ReadAllText(file).Contains("using Convoy.Actors", StringComparison.Ordinal),
                $"{file} uses actors");
    }

    // Decision 4: a platform's functions differ in the last bit between platforms, and members of a job with them. What
    // checks the operators compares with the platform's on purpose.
    [Fact]
    public void FunctionsWhoseBitsDifferBetweenPlatformsAreOurs()
    {
        var foreign = new Regex(
            @"\b(Math|MathF|double|float|T)\.(Exp|Exp2|ExpM1|Log|Log2|Log10|LogP1|Pow|Cbrt|RootN|Sin|Cos|Tan|SinCos|Asin"
            + @"|Acos|Atan|Atan2|Sinh|Cosh|Tanh|Asinh|Acosh|Atanh)\(", RegexOptions.CultureInvariant);
        foreach (var file in new[] { "src/Kernels", "src/Autodiff", "src/Worker", "src/Shared" }.SelectMany(Sources))
        {
            if (file.Replace('\\', '/').Contains("src/Autodiff/Checking/", StringComparison.Ordinal)) continue;
            foreach (var (line, index) in File.ReadLines(file).Select((line, index) => (line, index)))
                Assert.False(foreign.IsMatch(line), $"{file}:{index + 1}: take it from PortableMath: {line.Trim()}");
        }
    }

    // PAR-08: locks have a name, a place in one order and a deadline. A gate to wait at is no lock: nothing is taken
    // inside it; nor is a test's double.
    [Fact]
    public void LocksAreOrdered()
    {
        string[] gates = ["EventQueue.cs", "ExecutorPool.cs", "ExecutorPlan.cs", "StealingNodes.cs", "ThreadTeam.cs"];
        string[] excepted = ["OrderedLock.cs", "DeterministicDispatcher.cs", "ManualTime.cs", "TestProbe.cs"];
        foreach (var file in Sources("src").Where(f => !excepted.Contains(Path.GetFileName(f))))
        {
            var code = File.ReadAllText(file);
            if (gates.Contains(Path.GetFileName(file)) && code.Contains("Monitor.Wait(", StringComparison.Ordinal))
                continue;
            Assert.False(code.Contains("readonly Lock ", StringComparison.Ordinal)
                || code.Contains(" lock (", StringComparison.Ordinal),
                $"{file} has a lock without an order: use Shared/Threading/OrderedLock");
        }
    }

    // Decision 3: a protocol is a plain deterministic class.
    [Fact]
    public void ProtocolsReadNoClockAndTouchNoThread()
    {
        string[] banned = ["TimeProvider", "async ", "await ", "Task.", "lock (", "Thread", "ILog", "File.", "Socket",
            "HashSet<", "Dictionary<"];
        foreach (var file in Sources("src").Where(f => f.EndsWith("Protocol.cs", StringComparison.Ordinal)))
        {
            var code = string.Join('\n', File.ReadLines(file)
                .Where(l => !l.TrimStart().StartsWith("//", StringComparison.Ordinal)));
            foreach (var word in banned)
                Assert.False(code.Contains(word, StringComparison.Ordinal),
                    $"{Path.GetFileName(file)} uses {word.Trim()}");
        }
    }

    [Fact]
    public void EachRoomSaysWhatItIsFor()
    {
        foreach (var project in May.Keys)
        {
            var lines = Repository.Read($"src/{project}/README.md").TrimEnd().Split('\n').Length;
            Assert.InRange(lines, 5, 40);
        }
    }

    // A text in quotes is not cut for its length: it is easier to search for in one piece.
    [Fact]
    public void LinesFitOnAScreen()
    {
        foreach (var file in ((string[])["src", "tests", "load-tests", "examples"]).SelectMany(Sources))
        {
            var (number, isRaw) = (0, false);
            foreach (var line in File.ReadLines(file))
            {
                number++;
                Assert.True(line.Length <= 120 || isRaw || line.Contains('"', StringComparison.Ordinal),
                    $"{file}:{number} has {line.Length} columns, at most 120 are allowed");
                if (line.Split("\"\"\"").Length % 2 == 0) isRaw = !isRaw;
            }
        }
    }

    private static IEnumerable<string> Sources(string folder) =>
        Directory.EnumerateFiles(Repository.PathOf(folder), "*.cs", SearchOption.AllDirectories)
            .Where(f => !f.Contains($"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}",
                StringComparison.Ordinal));
}
