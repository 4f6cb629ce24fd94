using Convoy.Cli.Launch;

namespace Convoy.Cli.Tests.Launch;

public sealed class WorkerOutputTests
{
    [Fact]
    public void AFullDisk_CostsTheFileLines_NotTheLaunch()
    {
        var disk = new FullDisk();
        using (var output = new WorkerOutput(disk))
        {
            output.Keep("one");
            disk.IsFull = true;
            output.Keep("two");
            disk.IsFull = false;
            output.Keep("three");
            Assert.Equal("one\ntwo\nthree", output.LastLines());
            disk.IsFull = true;
            output.Keep("four");
        }

        Assert.Equal("one three", string.Join(' ', disk.Written.Split((char[])['\r', '\n'],
            StringSplitOptions.RemoveEmptyEntries)));
    }

    private sealed class FullDisk : MemoryStream
    {
        public bool IsFull { get; set; }
        public string Written { get; private set; } = "";

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            if (IsFull) throw new IOException("No space left on device");
            Written += System.Text.Encoding.UTF8.GetString(buffer);
        }

        public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));
    }
}
