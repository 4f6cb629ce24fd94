using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Convoy.Actors.Remoting;
using Convoy.Kernels;
using Convoy.Shared.Diagnostics;

namespace Convoy.Cli.Commands;

/// <summary>One thing that <c>doctor</c> looked at.</summary>
internal sealed record Check(string Name, bool Ok, string Found, string Advice);

/// <summary>The checks of <c>doctor</c>, one function each.</summary>
internal static class Diagnosis
{
    private const long MemoryBytesMin = 512L << 20;
    private const long DiskBytesMin = 256L << 20;

    public static IReadOnlyList<Check> All(int port, string folder, TimeProvider time) =>
    [
        Versions(), Cores(), Simd(), Memory(), Port(port), Addresses(port), Clock(time), Disk(folder),
    ];

    private static Check Versions() => new("versions", Environment.Version.Major >= 10,
        $"convoy {VersionCommand.Product}, build {BuildId.Current}, {RuntimeInformation.FrameworkDescription}, " +
        $"{RuntimeInformation.OSDescription.Trim()} {RuntimeInformation.ProcessArchitecture}",
        "Install the .NET 10 runtime or SDK.");

    private static Check Cores() => new("cores", Environment.ProcessorCount >= 1,
        $"{Environment.ProcessorCount} available to this process", "Give the process at least one core.");

    // Never a fault: the portable kernels are slow, but give the same bits.
    private static Check Simd() => new("simd", true,
        $"{SimdInfo.Name} of {string.Join(", ", SimdInfo.InstructionSets.DefaultIfEmpty("no vector instructions"))}", "");

    private static Check Memory()
    {
        var bytes = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
        return new("memory", bytes >= MemoryBytesMin, $"{Gigabytes(bytes)} available to this process",
            "A worker needs about 100 MB and four times the model's parameters: free memory or raise the limit.");
    }

    private static Check Port(int port)
    {
        try
        {
            using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            listener.Bind(new IPEndPoint(IPAddress.Loopback, port));
            listener.Listen();
            return new("ports", true, $"can listen on {listener.LocalEndPoint}", "");
        }
        catch (SocketException refused)
        {
            return new("ports", false, $"cannot listen on 127.0.0.1:{port}: {refused.SocketErrorCode}",
                "Choose another --port, or end what listens there.");
        }
    }

    // What a worker or coordinator on 0.0.0.0 tells the others; they try the nearest first.
    private static Check Addresses(int port)
    {
        var found = Endpoints.AdvertisedOnAny(port);
        // Never a fault: a machine by itself trains too.
        return new("network", true, found.Count == 0
            ? "only this machine reaches itself" : $"others would dial {string.Join(", ", found)}", "");
    }

    private static Check Clock(TimeProvider time)
    {
        var now = time.GetUtcNow();
        var resolutionNs = 1e9 / time.TimestampFrequency;
        // Deadlines use the monotonic clock; the wall clock only stamps logs, but certificates will need it right.
        return new("clock", now.Year is >= 2025 and < 2100 && resolutionNs <= 1_000,
            string.Create(CultureInfo.InvariantCulture, $"{now:u}, monotonic resolution {resolutionNs:0} ns"),
            "Set the machine's clock (chrony or ntpd).");
    }

    private static Check Disk(string folder)
    {
        try
        {
            var existing = new DirectoryInfo(Path.GetFullPath(folder));
            while (!existing.Exists && existing.Parent is not null) existing = existing.Parent;
            var probe = Path.Combine(existing.FullName, $".convoy-doctor-{Environment.ProcessId}");
            File.WriteAllBytes(probe, [1]);
            File.Delete(probe);
            var free = new DriveInfo(existing.FullName).AvailableFreeSpace;
            return new("disk", free >= DiskBytesMin, $"{existing.FullName} is writable, {Gigabytes(free)} free",
                "A checkpoint takes three times the model's parameters, and three are kept: free some space.");
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return new("disk", false, refused.Message, "Choose another --state folder.");
        }
    }

    internal static string Gigabytes(long bytes) =>
        string.Create(CultureInfo.InvariantCulture, $"{bytes / (double)(1 << 30):0.0} GB");
}
