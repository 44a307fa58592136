using TinyLlm.Grains.Access;
using TinyLlm.Grains.Models;
using TinyLlm.Grains.Users;
using TinyLlm.Storage;
using TinyLlm.Tests;

namespace TinyLlm.Grains.Tests;

/// <summary>A user of a test cluster, and what a host does in a user's name.</summary>
internal sealed record TestUser(UserId Id, string Name, IssuedToken Token, IUserGrain Grain, ModelFiles Files)
{
    /// <summary>Uploads and commits a model as the host does.</summary>
    public async Task<PublishedVersion> PublishAsync(string model, IReadOnlyDictionary<string, byte[]>? files = null)
    {
        UploadTicket upload = await UploadAsync(model, files);
        return await CommitAsync(model, upload.UploadId);
    }

    public async Task<UploadTicket> UploadAsync(string model, IReadOnlyDictionary<string, byte[]>? files = null, string? idempotencyKey = null)
    {
        UploadTicket upload = await Grain.BeginUpload(model, idempotencyKey);
        foreach ((string name, byte[] bytes) in files ?? TinyModel.Files) await WriteAsync(model, upload.UploadId, name, bytes);
        return upload;
    }

    public async Task WriteAsync(string model, string uploadId, string file, byte[] bytes)
    {
        WriteLease lease = await Grain.BeginWrite(model, uploadId, file);
        await Files.AppendAsync(Id, lease.Version, ModelFileName.Parse(file), 0, new MemoryStream(bytes), lease.MaxBytes, null, lease.Key, TestContext.Current.CancellationToken);
        await Grain.EndWrite(uploadId, lease.LeaseId, bytes.Length);
    }

    /// <summary>Begins the commit of an upload that gets one small file, and seals it. The manifest's digest.</summary>
    public async Task<string> SealSmallAsync(string model, string uploadId)
    {
        await WriteAsync(model, uploadId, "README.md", [1]);
        CommitTicket ticket = await Grain.BeginCommit(model, uploadId);
        return (await Files.SealAsync(Id, ticket.Version, ticket.Key, TestContext.Current.CancellationToken)).Digest.Hex;
    }

    public async Task<PublishedVersion> CommitAsync(string model, string uploadId)
    {
        CommitTicket ticket = await Grain.BeginCommit(model, uploadId);
        return ticket.Published ?? await CompleteAsync(uploadId, ticket);
    }

    /// <summary>What follows a begun commit: seal, validate, publish.</summary>
    public async Task<PublishedVersion> CompleteAsync(string uploadId, CommitTicket ticket)
    {
        ModelManifest manifest = await Files.ReadManifestAsync(Id, ticket.Version, TestContext.Current.CancellationToken)
            ?? await Files.SealAsync(Id, ticket.Version, ticket.Key, TestContext.Current.CancellationToken);
        VersionFiles files = new(Files, Id, ticket.Version, ticket.Key);
        SignatureFacts? signature = await UploadedSignature.VerifyAsync(files, manifest, ticket.TrustedKeys, TestContext.Current.CancellationToken);
        ModelFacts facts = await ModelValidator.ValidateAsync(
            files, [.. manifest.Files.Select(file => file.Name.Value)], manifest.TotalBytes, TestContext.Current.CancellationToken);
        return await Grain.CompleteCommit(uploadId, manifest.Digest.Hex, facts with { Signature = signature });
    }

    public Task<GrantedModel> LeaseAsync(string model, ModelRight right = ModelRight.Infer) => Grain.Lease(Id, model, null, right);
}
