using System.Text.Json;

namespace Convoy.Shared.Jobs;

/// <summary>
/// The job as canonical JSON: keys in the order of the records, shortest round-trip numbers, no spaces. Equal jobs have
/// equal bytes, so a hash of them names the job.
/// </summary>
public static class JobJson
{
    private static readonly JsonSerializerOptions Options = new(JsonSerializerOptions.Strict)
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        // Paths hold letters of every language; they stay readable in the journal and in manifests.
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        MaxDepth = 16,
    };

    public static byte[] Write(JobSpec job) => JsonSerializer.SerializeToUtf8Bytes(job, Options);

    /// <summary>Reads what <see cref="Write"/> wrote; unknown or repeated keys and broken rules are refused.</summary>
    public static JobSpec Read(ReadOnlySpan<byte> json)
    {
        if (json.Length > Limits.JobFileBytesMax)
            throw new UserException(ExitCode.BadJob,
                $"job: {json.Length} bytes of JSON; at most {Limits.JobFileBytesMax}");
        JobSpec? job;
        try
        {
            job = JsonSerializer.Deserialize<JobSpec>(json, Options);
        }
        catch (JsonException e)
        {
            throw new UserException(ExitCode.BadJob,
                $"job: the JSON is not a job: {e.Message.ReplaceLineEndings(" ")}");
        }

        if (job is null) throw new UserException(ExitCode.BadJob, "job: the JSON is null, not a job");
        if (HasNull(job)) throw new UserException(ExitCode.BadJob, "job: a list in the JSON holds null");
        return JobRules.Check(job) is { } broken ? throw new UserException(ExitCode.BadJob, $"job: {broken}") : job;
    }

    // The serializer's null checks do not reach into lists.
    private static bool HasNull(JobSpec job) =>
        new[] { job.Model.Network, job.Data.Path, job.Data.TestPath, job.Data.Labels, job.Data.TestLabels }
            .Any(list => list.Any(item => item is null));
}
