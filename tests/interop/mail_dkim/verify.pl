# How Perl's Mail::DKIM judges messages: `perl verify.pl KEYS FOLDER`.
#
# KEYS has a line "name value" for each key record; nobody else is asked. Prints a line
# "file result signing-domain" for each .eml in FOLDER, by tabs.

use strict;
use warnings;

package Records;

use Net::DNS;

sub new {
    my ( $class, $path ) = @_;
    open my $keys, '<', $path or die "$path: $!";
    my %values = map { chomp; split / /, $_, 2 } <$keys>;
    return bless \%values, $class;
}

# As Net::DNS::Resolver's: a whole answer, or one that says that there is no such name.
sub send {
    my ( $self, $name, $type ) = @_;
    my $answer = Net::DNS::Packet->new( $name, $type );
    my $value = $type eq 'TXT' ? $self->{ lc $name } : undef;
    $answer->header->qr(1);
    $answer->header->rcode( defined $value ? 'NOERROR' : 'NXDOMAIN' );
    $answer->push(
        answer => Net::DNS::RR->new(
            owner   => $name,
            type    => 'TXT',
            txtdata => [ unpack '(a255)*', $value ]
        )
    ) if defined $value;
    return $answer;
}

package main;

use Mail::DKIM::DNS;
use Mail::DKIM::Verifier;

my ( $keys, $folder ) = @ARGV;
Mail::DKIM::DNS::resolver( Records->new($keys) );

for my $path ( sort glob "$folder/*.eml" ) {
    open my $file, '<:raw', $path or die "$path: $!";
    my $message = do { local $/; <$file> };
    my $verifier = Mail::DKIM::Verifier->new;
    $verifier->PRINT($message);
    $verifier->CLOSE;
    my ( $first, @more ) = $verifier->signatures;
    my $result = @more ? ( 1 + @more ) . ' signatures' : $verifier->result;
    my ($name) = $path =~ m{([^/]+)\z};
    print join( "\t", $name, $result, $first ? $first->domain : '' ), "\n";
}
