// Command pulumi-resource-libvirt bridges the Terraform libvirt provider for the pulumi-libvirt
// 0.5.4 SDK. The official plugin's own module is not in the Go module registry, but both halves of
// it are: the bridge and the provider. Tokens and the configuration default are those of the SDK.
package main

import (
	"github.com/dmacvicar/terraform-provider-libvirt/libvirt"
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"
	shimv2 "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfshim/sdk-v2"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
)

// version is that of the SDK this plugin serves; the build sets it with -ldflags "-X main.version=".
var version = "0.5.4"

// schema is only read by code generators; the engine and the Python SDK never ask for it.
var schema = []byte(`{"name": "libvirt"}`)

func main() {
	tfbridge.Main("libvirt", version, provider(), schema)
}

func provider() tfbridge.ProviderInfo {
	info := tfbridge.ProviderInfo{
		P:       shimv2.NewProvider(libvirt.Provider()),
		Name:    "libvirt",
		Version: version,
		Config: map[string]*tfbridge.SchemaInfo{
			"uri": {Default: &tfbridge.DefaultInfo{EnvVars: []string{"LIBVIRT_DEFAULT_URI"}}},
		},
		Resources: map[string]*tfbridge.ResourceInfo{
			"libvirt_cloudinit_disk": {Tok: resource("CloudInitDisk")},
			"libvirt_combustion":     {Tok: resource("Combustion")},
			"libvirt_domain":         {Tok: resource("Domain")},
			"libvirt_ignition":       {Tok: resource("Ignition")},
			"libvirt_network":        {Tok: resource("Network")},
			"libvirt_pool":           {Tok: resource("Pool")},
			"libvirt_volume":         {Tok: resource("Volume")},
		},
	}
	info.DataSources = map[string]*tfbridge.DataSourceInfo{
		"libvirt_network_dns_host_template":        {Tok: function("getNetworkDnsHostTemplate")},
		"libvirt_network_dns_srv_template":         {Tok: function("getNetworkDnsSrvTemplate")},
		"libvirt_network_dnsmasq_options_template": {Tok: function("getNetworkDnsmasqOptionsTemplate")},
		"libvirt_node_device_info":                 {Tok: function("getNodeDeviceInfo")},
		"libvirt_node_devices":                     {Tok: function("getNodeDevices")},
		"libvirt_node_info":                        {Tok: function("getNodeInfo")},
	}
	info.SetAutonaming(255, "-")
	return info
}

// resource gives the type token libvirt:index/volume:Volume for "Volume".
func resource(name string) tokens.Type {
	return tfbridge.MakeResource("libvirt", "index", name)
}

// function gives the token libvirt:index/getNodeInfo:getNodeInfo for "getNodeInfo".
func function(name string) tokens.ModuleMember {
	return tfbridge.MakeDataSource("libvirt", "index", name)
}
