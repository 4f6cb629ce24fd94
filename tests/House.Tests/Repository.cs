namespace Convoy.House.Tests;

/// <summary>Finds the files of the checkout that these tests were built from.</summary>
internal static class Repository
{
    public static string Root { get; } = FindRoot();

    public static string PathOf(string relative) =>
        Path.Combine(Root, relative.Replace('/', Path.DirectorySeparatorChar));

    public static string Read(string relative) =>
        File.ReadAllText(PathOf(relative)).Replace("\r\n", "\n", StringComparison.Ordinal);

    /// <summary>Compares with a committed file; CONVOY_REWRITE=1 writes it instead, to be reviewed as a diff.</summary>
    public static void Same(string relative, string actual)
    {
        if (Environment.GetEnvironmentVariable("CONVOY_REWRITE") == "1")
        {
            Directory.CreateDirectory(Path.GetDirectoryName(PathOf(relative))!);
            File.WriteAllText(PathOf(relative), actual);
            return;
        }

        Assert.True(File.Exists(PathOf(relative)),
            $"{relative} is not there: run the House tests with CONVOY_REWRITE=1 and review it");
        Assert.Equal(Read(relative), actual);
    }

    private static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (File.Exists(Path.Combine(folder.FullName, "Cluster.sln"))) return folder.FullName;
        throw new InvalidOperationException("Cluster.sln is not above the test assembly");
    }
}
