namespace Convoy.Shared.Jobs;

/// <summary>Data paths are looked up once, where the job is read, and travel as absolute paths.</summary>
internal static class JobPaths
{
    public static JobSpec MakeAbsolute(JobSpec job, string workingDirectory, string jobFolder)
    {
        string Resolve(string path)
        {
            // The job file's folder first: a job that ships with its data means that data wherever convoy runs. What is
            // nowhere is reported where convoy runs, because `data get` puts files there.
            var besideJob = Path.GetFullPath(path, jobFolder);
            return Exists(besideJob) ? besideJob : Path.GetFullPath(path, workingDirectory);
        }

        return job with
        {
            Data = job.Data with
            {
                Path = [.. job.Data.Path.Select(Resolve)],
                TestPath = [.. job.Data.TestPath.Select(Resolve)],
                Labels = [.. job.Data.Labels.Select(Resolve)],
                TestLabels = [.. job.Data.TestLabels.Select(Resolve)],
            },
        };
    }

    /// <summary>A pattern exists when the folder before its first wildcard does and something in it may
    /// match.</summary>
    private static bool Exists(string path)
    {
        var wildcard = path.AsSpan().IndexOfAny('*', '?');
        if (wildcard < 0) return File.Exists(path) || Directory.Exists(path);
        var folder = Path.GetDirectoryName(path[..wildcard]);
        return folder is not null && Directory.Exists(folder);
    }
}
