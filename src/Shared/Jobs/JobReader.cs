using System.Text;

namespace Convoy.Shared.Jobs;

/// <summary>
/// Reads a job file strictly. Whatever is wrong is refused with one line, <c>FILE:LINE:COL: key: rule; what to do</c>;
/// nothing is ignored and nothing is guessed.
/// </summary>
public static class JobReader
{
    private sealed record Given(JobKey Key, JobNode Node, string KeyLocation);

    /// <param name="path">The job file.</param>
    /// <param name="sets">Overrides, each <c>a.b=c</c>; later ones win.</param>
    /// <param name="workingDirectory">The second place where relative data paths are looked up.</param>
    public static JobSpec ReadFile(string path, IReadOnlyList<string> sets, string workingDirectory)
    {
        var full = Path.GetFullPath(path, workingDirectory);
        return ReadText(Load(full, path), path, Path.GetDirectoryName(full)!, sets, workingDirectory);
    }

    /// <param name="text">YAML.</param>
    /// <param name="file">Name for messages.</param>
    /// <param name="fileFolder">Folder of the job file: where relative data paths are looked up first.</param>
    /// <param name="sets">Overrides, each <c>a.b=c</c>; later ones win.</param>
    /// <param name="workingDirectory">The second place where relative data paths are looked up.</param>
    public static JobSpec ReadText(string text, string file, string fileFolder, IReadOnlyList<string> sets,
        string workingDirectory)
    {
        var root = JobNodeParser.ParseFile(text, file);
        if (root.Kind != JobNodeKind.Map)
            throw root.Fail("", $"a job is a list of 'key: value' lines, not {root.Describe()}");

        var given = new Dictionary<string, Given>(StringComparer.Ordinal);
        Collect(root, "", given, mayRepeat: false);
        foreach (var set in sets) Override(set, given);

        var job = Build(given);
        RefuseUnused(job, given);
        Require(given, file);
        if (!given.ContainsKey("elastic.max"))
            job = job with { Elastic = job.Elastic with { Max = Math.Min(job.Elastic.Max, job.Slices) } };
        if (JobRules.Find(job) is { } broken)
        {
            var place = given.TryGetValue(broken.Key, out var at) ? at.Node.Location : $"{file}:1:1";
            throw JobNode.Fail(place, broken.Key, broken.RuleAndAdvice);
        }

        return JobPaths.MakeAbsolute(job, workingDirectory, fileFolder);
    }

    private static string Load(string full, string shown)
    {
        try
        {
            using var stream = File.OpenRead(full);
            if (stream.Length > Limits.JobFileBytesMax)
                throw new UserException(ExitCode.BadJob,
                    $"{shown}: {stream.Length} bytes; a job file has at most {Limits.JobFileBytesMax}");
            using var reader = new StreamReader(stream, new UTF8Encoding(false, throwOnInvalidBytes: true));
            return reader.ReadToEnd();
        }
        catch (DecoderFallbackException)
        {
            throw new UserException(ExitCode.BadJob, $"{shown}: not UTF-8 text; save the job file as UTF-8");
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new UserException(ExitCode.BadJob, $"{shown}: there is no such job file; check the path");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UserException(ExitCode.BadJob, $"{shown}: the job file cannot be read: {e.Message}");
        }
    }

    private static void Collect(JobNode map, string group, Dictionary<string, Given> given, bool mayRepeat)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (key, value) in map.Entries)
        {
            var path = group.Length == 0 ? key.Text : $"{group}.{key.Text}";
            if (!seen.Add(key.Text)) throw key.Fail(path, "the key stands here twice; keep one");
            Add(path, key, value, given, mayRepeat);
        }
    }

    private static void Add(string path, JobNode keyNode, JobNode value, Dictionary<string, Given> given,
        bool mayRepeat)
    {
        if (JobSchema.Find(path) is { } key)
        {
            Invariant.Check(mayRepeat || !given.ContainsKey(path), "JOB-1 a key of the file is collected once");
            given[path] = new Given(key, value, keyNode.Location);
        }
        else if (JobSchema.Groups.Contains(path, StringComparer.Ordinal))
        {
            if (value.Kind != JobNodeKind.Map)
                throw value.Fail(path, $"a group of keys is expected ({Names(path)}), not {value.Describe()}");
            Collect(value, path, given, mayRepeat);
        }
        else
        {
            throw keyNode.Fail(path, Unknown(path));
        }
    }

    private static string Unknown(string path)
    {
        var dot = path.LastIndexOf('.');
        var (group, name) = dot < 0 ? ("", path) : (path[..dot], path[(dot + 1)..]);
        if (NearestWord.Of(name, JobSchema.NamesIn(group)) is { } near)
            return $"unknown key; did you mean {(group.Length == 0 ? near : $"{group}.{near}")}?";
        // The right name in the wrong place: under another group, or one level too high.
        var elsewhere = JobSchema.Keys.Select(k => k.Path).FirstOrDefault(
            p => p.EndsWith($".{name}", StringComparison.Ordinal) || p == name);
        if (elsewhere is not null) return $"unknown key; did you mean {elsewhere}?";
        return NearestWord.Of(path, JobSchema.Keys.Select(k => k.Path)) is { } nearest
            ? $"unknown key; did you mean {nearest}?"
            : $"unknown key; the keys here are {Names(group)}";
    }

    private static string Names(string group)
    {
        // A typo in the group of an override leaves nothing to list there.
        var names = JobSchema.NamesIn(group).ToList();
        return string.Join(", ", names.Count > 0 ? names : JobSchema.NamesIn(""));
    }

    private static void Override(string set, Dictionary<string, Given> given)
    {
        var location = $"--set {set}";
        var equals = set.IndexOf('=', StringComparison.Ordinal);
        if (equals <= 0) throw JobNode.Fail(location, "", "an override is KEY=VALUE, such as --set optimizer.lr=0.01");
        var keyNode = new JobNode(JobNodeKind.Scalar, location) { Text = set[..equals].Trim() };
        var text = set[(equals + 1)..];
        // An empty stream has no node; an empty value is reported by the key's own reader.
        var value = string.IsNullOrWhiteSpace(text)
            ? new JobNode(JobNodeKind.Scalar, location) : JobNodeParser.ParseOverride(text, location);
        // A length given on the command line replaces the one of the file, whichever of the two keys that is.
        if (keyNode.Text is "epochs") given.Remove("steps");
        if (keyNode.Text is "steps") given.Remove("epochs");
        Add(keyNode.Text, keyNode, value, given, mayRepeat: true);
    }

    private static JobSpec Build(Dictionary<string, Given> given)
    {
        // In the order of the table: the first error is the same whatever the order of a dictionary.
        var job = new JobSpec();
        foreach (var key in JobSchema.Keys)
            if (given.TryGetValue(key.Path, out var value)) job = key.Read(job, value.Node);
        return job;
    }

    private static void RefuseUnused(JobSpec job, Dictionary<string, Given> given)
    {
        foreach (var key in JobSchema.Keys)
        {
            if (key.Used(job) || !given.TryGetValue(key.Path, out var value)) continue;
            throw JobNode.Fail(value.KeyLocation, key.Path, $"it is read only where {key.UsedWhen}; remove it");
        }
    }

    private static void Require(Dictionary<string, Given> given, string file)
    {
        foreach (var key in JobSchema.Keys)
            if (key.IsRequired && !given.ContainsKey(key.Path))
                throw JobNode.Fail($"{file}:1:1", key.Path,
                    $"the key is missing; write one ({(key.Range.Length > 0 ? key.Range : key.Type)})");
    }
}
