using System.Text;
using Convoy.Shared.Protocol;
using Google.Protobuf;
using Google.Protobuf.Reflection;

namespace Convoy.House.Tests;

// Every message that crosses a wire, with its number and fields. A change here is a change of the wire: it needs a new
// protocol version and a review of the diff of wire-contract.txt.
public class WireContractTests
{
    [Fact]
    public void WireContractIsAsCommitted()
    {
        var text = new StringBuilder();
        foreach (var (id, type) in ControlMessages.All.OrderBy(m => m.Id))
        {
            var descriptor = ((IMessage)Activator.CreateInstance(type)!).Descriptor;
            text.Append(id).Append(' ').Append(descriptor.FullName).Append('\n');
            Append(text, descriptor);
        }

        text.Append("bulk header ").Append(BulkHeader.Size).Append(" bytes\n");
        foreach (var kind in Enum.GetValues<BulkKind>())
            text.Append("  ").Append((int)kind).Append(' ').Append(kind).Append('\n');
        Repository.Same("tests/House.Tests/wire-contract.txt", text.ToString());
    }

    [Fact]
    public void EveryMessageOfTheProtoFilesHasANumberOrIsPartOfOne()
    {
        var numbered = ControlMessages.All.Select(m => m.Type.Name).ToHashSet(StringComparer.Ordinal);
        var nested = ControlMessages.All
            .SelectMany(m => ((IMessage)Activator.CreateInstance(m.Type)!).Descriptor.Fields.InFieldNumberOrder())
            .Where(f => f.FieldType == FieldType.Message).Select(f => f.MessageType.Name)
                .ToHashSet(StringComparer.Ordinal);
        var files = new[] { Hello.Descriptor.File, StepRow.Descriptor.File };
        foreach (var message in files.SelectMany(f => f.MessageTypes))
            Assert.True(numbered.Contains(message.Name) || nested.Contains(message.Name),
                $"{message.Name} has no number in ControlMessages");
    }

    private static void Append(StringBuilder text, MessageDescriptor descriptor)
    {
        foreach (var field in descriptor.Fields.InFieldNumberOrder())
        {
            text.Append("  ").Append(field.FieldNumber).Append(' ').Append(field.Name).Append(' ');
            if (field.IsMap) text.Append("map");
            else if (field.IsRepeated) text.Append("repeated ").Append(field.FieldType);
            else text.Append(field.FieldType);
            text.Append('\n');
        }
    }
}
