using System.Text;

namespace Convoy.Shared.Jobs;

/// <summary>Prints the effective job: every key that it uses, in the order of the table. It reads back to the same
/// job.</summary>
public static class JobPrinter
{
    public static string ToYaml(JobSpec job)
    {
        var yaml = new StringBuilder();
        var open = Array.Empty<string>();
        foreach (var key in JobSchema.Keys.Where(key => IsPrinted(key, job)))
        {
            var parts = key.Path.Split('.');
            var shared = 0;
            while (shared < open.Length && shared < parts.Length - 1 && open[shared] == parts[shared]) shared++;
            for (var depth = shared; depth < parts.Length - 1; depth++) Line(yaml, depth, $"{parts[depth]}:");
            Line(yaml, parts.Length - 1, $"{parts[^1]}: {key.Print(job)}");
            open = parts[..^1];
        }

        return yaml.ToString();
    }

    private static bool IsPrinted(JobKey key, JobSpec job) => key.Used(job) && key.Path switch
    {
        "epochs" => job.Epochs > 0,
        "steps" => job.Steps > 0,
        "data.test_path" => job.Data.TestPath.Count > 0,
        "data.test_labels" => job.Data.TestLabels.Count > 0,
        _ => true,
    };

    private static void Line(StringBuilder yaml, int depth, string text) =>
        yaml.Append(' ', depth * 2).Append(text).Append('\n');
}
